"""What a public name takes and returns is public itself, to its last attribute."""

from __future__ import annotations

import ast
import inspect
import sys
import typing
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FunctionType

PUBLIC = (
    "rung",
    "rung.errors",
    "rung.events",
    "rung.repair",
    "rung.script",
    "rung.snapshot",
    "rung.source",
    "rung.integrations.asgi",
    "rung.integrations.fastapi",
    "rung.integrations.pytest",
)
"""The modules whose `__all__` is public."""


def test_each_type_of_ours_is_public() -> None:
    """Those of parameters, results and attributes, and theirs in turn."""
    roots = [
        (f"{module}.{name}", getattr(import_module(module), name))
        for module in PUBLIC
        for name in import_module(module).__all__
    ]
    public = {id(value) for _, value in roots}
    private: dict[str, str] = {}
    seen, todo = set(public), roots
    while todo:
        name, value = todo.pop()
        for where, found in _annotated(name, value):
            if id(found) not in public:
                private.setdefault(f"{found.__module__}.{found.__qualname__}", where)
            if id(found) not in seen:
                seen.add(id(found))
                todo.append((found.__qualname__, found))

    assert len(seen) > 100
    assert private == {}


def _annotated(name: str, value: object) -> Iterator[tuple[str, type]]:
    """Yield the types of ours in the annotations of a value, with where each stands."""
    for where, annotation in _annotations(name, value):
        for one in _parts(annotation):
            if isinstance(one, type) and one.__module__.partition(".")[0] == "rung":
                yield where, one


def _annotations(name: str, value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, type):
        for base in value.__mro__:
            if base.__module__.partition(".")[0] == "rung":
                yield from _of_fields(name, base)
                yield from _of_methods(name, base)
    elif inspect.isfunction(value):
        yield from _of_function(name, value)
    else:
        yield name, value


def _of_fields(name: str, base: type) -> Iterator[tuple[str, Any]]:
    names = _names(base.__module__)
    for field, annotation in vars(base).get("__annotations__", {}).items():
        if not field.startswith("_"):
            text = getattr(annotation, "__forward_arg__", annotation)
            yield f"{name}.{field}", eval(text, names) if isinstance(text, str) else text


def _of_methods(name: str, base: type) -> Iterator[tuple[str, Any]]:
    for member, found in vars(base).items():
        if member.startswith("_") and member not in ("__init__", "__call__"):
            continue
        function = getattr(found, "fget", getattr(found, "func", None))
        function = function or getattr(found, "__func__", found)
        if inspect.isfunction(function) and function.__module__ == base.__module__:
            yield from _of_function(f"{name}.{member}", function)


def _of_function(name: str, function: FunctionType) -> Iterator[tuple[str, Any]]:
    hints = typing.get_type_hints(function, _names(function.__module__))
    yield from ((f"{name}({argument})", hint) for argument, hint in hints.items())


@cache
def _names(module: str) -> dict[str, Any]:
    """Return the names of a module, those for type checkers included."""
    source = sys.modules[module]
    names = dict(vars(source))
    for node in ast.parse(inspect.getsource(source)).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            exec(compile(ast.Module(node.body, []), module, "exec"), names)
    return names


def _parts(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - whatever an annotation holds
    yield annotation
    arguments = annotation if isinstance(annotation, list) else typing.get_args(annotation)
    for one in arguments:
        yield from _parts(one)
