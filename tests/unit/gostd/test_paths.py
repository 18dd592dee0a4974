"""Paths as Go cleans and joins them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.golang_migrate.gostd.paths import absolute, clean, joined, working_directory

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", "."), ("//a//b/", "/a/b"), ("///", "/"), ("a/../..", ".."), ("/..", "/"), ("./a", "a")],
)
def test_clean(path: str, expected: str) -> None:
    """The shortest path of the same meaning."""
    assert expected == clean(path)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [(("", ""), ""), (("", "a"), "a"), ((".", "a"), "a"), (("a", "/b"), "a/b"), (("a", ".."), ".")],
)
def test_joined(parts: tuple[str, ...], expected: str) -> None:
    """Empty parts are left out, and a slash does not start again."""
    assert expected == joined(*parts)


def test_a_working_directory_behind_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell's name for the working directory is kept where it is right."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "link")

    monkeypatch.setenv("PWD", str(tmp_path / "link"))
    assert absolute("a/../b") == f"{tmp_path}/link/b"
    monkeypatch.setenv("PWD", str(tmp_path / "gone"))
    assert working_directory() == str(tmp_path / "real")
    monkeypatch.delenv("PWD")
    assert working_directory() == str(tmp_path / "real")
    assert absolute("//x/.") == "/x"
