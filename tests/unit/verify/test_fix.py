"""Statements that undo what a down leaves, written from the catalogs' texts."""

from __future__ import annotations

import pytest

from rung.snapshot import SchemaObject, Snapshot
from rung.verify.fix import fix_statements, rename_statements
from rung.verify.model import SchemaChange

_TABLE = SchemaObject("table public.t", "")
_PLAIN = [_TABLE, SchemaObject("column public.t.a", "integer", "table public.t")]


def _change(before: list[SchemaObject], after: list[SchemaObject]) -> SchemaChange:
    return SchemaChange.between(Snapshot.of(before), Snapshot.of(after))


@pytest.mark.parametrize(
    ("identity", "statement"),
    [
        ("table public.u", "DROP TABLE public.u"),
        ("column public.t.b", "ALTER TABLE public.t DROP COLUMN b"),
        ('column public."T.x"."b.c"', 'ALTER TABLE public."T.x" DROP COLUMN "b.c"'),
        ("constraint k on public.t", "ALTER TABLE public.t DROP CONSTRAINT k"),
        ('constraint "a on b" on public.t', 'ALTER TABLE public.t DROP CONSTRAINT "a on b"'),
        ('constraint k on public."a on b"', 'ALTER TABLE public."a on b" DROP CONSTRAINT k'),
        ('table public."a\n\\b"', 'DROP TABLE public.U&"a\\000A\\\\b"'),
        ("index public.i", "DROP INDEX public.i"),
        ("materialized view public.m", "DROP MATERIALIZED VIEW public.m"),
        ("enum public.e", "DROP TYPE public.e"),
        ("trigger g on public.t", "DROP TRIGGER g ON public.t"),
        ("function public.f(integer)", "DROP FUNCTION public.f(integer)"),
    ],
)
def test_what_is_left_is_dropped(identity: str, statement: str) -> None:
    """Each kind of object has its own DROP, with the name as the catalog quotes it."""
    change = _change(_PLAIN, [*_PLAIN, SchemaObject(identity, "", "table public.t")])

    assert fix_statements(change) == (statement,)


@pytest.mark.parametrize(
    ("identity", "definition", "statement"),
    [
        ("column public.t.b", "text not null", "ALTER TABLE public.t ADD COLUMN b text not null"),
        (
            "constraint k on public.t",
            "CHECK ((a > 0))",
            "ALTER TABLE public.t ADD CONSTRAINT k CHECK ((a > 0))",
        ),
        ("index public.i", "CREATE INDEX i ON public.t USING btree (a)", None),
    ],
)
def test_what_is_missing_is_added(identity: str, definition: str, statement: str | None) -> None:
    """Columns, constraints and indexes are made again from their definition."""
    change = _change([*_PLAIN, SchemaObject(identity, definition)], _PLAIN)

    assert fix_statements(change) == (statement or definition,)


@pytest.mark.parametrize(
    ("wanted", "actual", "statements"),
    [
        ("integer", "integer not null", ["DROP NOT NULL"]),
        ("integer not null", "integer", ["SET NOT NULL"]),
        ("integer default 1", "integer default 2", ["DROP DEFAULT", "SET DEFAULT 1"]),
        ("integer", "bigint default 5", ["DROP DEFAULT", "TYPE integer USING a::integer"]),
    ],
)
def test_a_column_is_altered(wanted: str, actual: str, statements: list[str]) -> None:
    """The default goes before the type changes, and comes back after it."""
    change = _change(
        [_TABLE, SchemaObject("column public.t.a", wanted)],
        [_TABLE, SchemaObject("column public.t.a", actual)],
    )

    alter = "ALTER TABLE public.t ALTER COLUMN a"
    assert fix_statements(change) == tuple(f"{alter} {one}" for one in statements)


@pytest.mark.parametrize(
    ("identity", "definition"),
    [
        ("operator public.+(integer,integer)", ""),
        ("owner of table public.t", "joe"),
        ("privileges on table public.t", "joe SELECT"),
        ("cast text as integer", ""),
    ],
)
def test_no_statement_is_guessed(identity: str, definition: str) -> None:
    """Where the texts do not suffice for one difference, nothing is proposed at all."""
    assert fix_statements(_change(_PLAIN, [*_PLAIN, SchemaObject(identity, definition)])) is None


def test_an_index_changes_with_its_constraint() -> None:
    """It is not created by a statement of its own, which would take its name."""
    index = SchemaObject("index public.k", "CREATE INDEX k ON public.t USING btree (a)")
    other = SchemaObject("index public.k", "CREATE INDEX k ON public.u USING btree (a)")
    constraint = SchemaObject("constraint k on public.t", "UNIQUE (a)")

    assert fix_statements(_change([*_PLAIN, constraint, index], [*_PLAIN, other])) == (
        "ALTER TABLE public.t ADD CONSTRAINT k UNIQUE (a)",
    )


@pytest.mark.parametrize(
    ("missing", "left", "statement"),
    [
        ("table public.t", 'table public."T u"', 'ALTER TABLE public."T u" RENAME TO t'),
        ("column public.t.a", "column public.t.b", "ALTER TABLE public.t RENAME COLUMN b TO a"),
        (
            "constraint a on public.t",
            "constraint b on public.t",
            "ALTER TABLE public.t RENAME CONSTRAINT b TO a",
        ),
        ("index public.a", "index public.b", "ALTER INDEX public.b RENAME TO a"),
        ("function public.a()", "function public.b()", None),
    ],
)
def test_a_possible_rename_is_undone(missing: str, left: str, statement: str | None) -> None:
    """A column that is renamed keeps its values; one that is dropped and added does not."""
    found = rename_statements(SchemaChange(renames=((missing, left),)))

    assert found == (() if statement is None else (statement,))
