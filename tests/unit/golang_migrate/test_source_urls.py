"""What golang-migrate makes of a source's and of a database's URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.gostd.recordings import recorded

from rung.golang_migrate import source_urls
from rung.golang_migrate.gostd.urls import UrlRefused, parse
from rung.golang_migrate.source_urls import (
    AddressRefused,
    custom,
    first,
    library_url,
    scheme_of,
    settings_of,
    source_folder,
    source_scheme,
)

if TYPE_CHECKING:
    from pathlib import Path

ROWS = recorded("urls_taken")


@pytest.mark.parametrize(
    ("url", "scheme"), [("postgres://h", "postgres"), ("PGX5:x:y", "PGX5"), ("a b:c", "a b")]
)
def test_a_scheme(url: str, scheme: str) -> None:
    """All before the first colon, as it is written."""
    assert scheme == scheme_of(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [("", "URL cannot be empty"), ("migrations", "no scheme"), (":x", "no scheme")],
)
def test_no_scheme(url: str, said: str) -> None:
    """Nothing before a colon is no scheme."""
    with pytest.raises(AddressRefused) as caught:
        scheme_of(url)

    assert said == str(caught.value)


def test_the_scheme_of_a_source() -> None:
    """It is folded, and has to be one by the rules of URLs."""
    assert source_scheme("FILE://x") == "file"
    with pytest.raises(UrlRefused, match="first path segment in URL cannot contain colon"):
        source_scheme("a b:c")
    with pytest.raises(AddressRefused, match="source driver: invalid URL scheme"):
        source_scheme("./a:b")


def test_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Host and decoded path together, from the working directory on."""
    monkeypatch.setattr("rung.golang_migrate.gostd.paths.working_directory", lambda: "/cwd")
    monkeypatch.setattr(source_urls, "working_directory", lambda: "/cwd")

    assert [(row[0], source_folder(row[0])) for row in ROWS] == [(row[0], row[2]) for row in ROWS]


def test_for_the_library() -> None:
    """Without golang-migrate's own settings, and written as Go writes URLs."""
    rows = [row for row in ROWS if row[1].get("scheme")]
    written = [(row[0], library_url(parse(row[0]))) for row in rows]

    assert written == [(row[0], row[3]) for row in rows]


def test_settings() -> None:
    """Of several values the first counts; a malformed pair is as good as none."""
    values = [(row[0], first(settings_of(parse(row[0])), "a")) for row in ROWS]

    assert values == [(row[0], row[4]) for row in ROWS]


def test_settings_of_its_own() -> None:
    """Keys that begin with `x-` are golang-migrate's."""
    values = settings_of(parse("x://h?x-a=1&x-a=2&x-=3&x=4&sslmode=disable&b"))

    assert custom(values) == {"x-a": ["1", "2"], "x-": ["3"]}
    assert values.keys() - custom(values).keys() == {"x", "sslmode", "b"}


def test_too_many_settings() -> None:
    """Of more than ten thousand none counts."""
    query = "&".join("a=1" for _ in range(10_000))

    assert len(settings_of(parse(f"x://h?{query}"))["a"]) == 10_000
    assert settings_of(parse(f"x://h?{query}&b=2")) == {}


def test_the_forms_of_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder may be named in many ways."""
    monkeypatch.chdir(tmp_path)
    forms = ["file://rel", "file://./rel", "file:rel", "FILE://rel/", f"file://{tmp_path}/rel"]

    assert {source_folder(form) for form in forms} == {f"{tmp_path}/rel"}
    assert source_folder("file://") == source_folder("file:") == str(tmp_path)


@pytest.mark.parametrize("url", ["file:", "file://rel"])
def test_no_working_directory(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the working directory is gone, there is no folder below it."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(AddressRefused, match="getwd: no such file or directory"):
        source_folder(url)
