"""What nobody foresaw is shown in a line, and never with a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.cli.internal_error import InternalError, masked, traceback_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "database",
    [
        "postgresql://me:s3cretive@db/chat",
        "postgresql://me:s3cretive@db:5432/chat?sslmode=require",
        "host=db password=s3cretive user=me",
        "host=db password='s3cretive' user=me",
        "postgresql://me@db/chat?password=s3cretive",
        "postgresql://db/chat?sslpassword=s3cretive&x=y",
    ],
)
def test_a_password_is_masked_wherever_it_was_given(database: str) -> None:
    """In an option, and in either variable."""
    said = f"could not parse {database}"

    found = [
        masked(said, {}, ["--database", database]),
        masked(said, {}, [f"-d{database}"]),
        masked(said, {"RUNG_DATABASE": database}, []),
        masked(said, {"DATABASE_URL": database}, []),
    ]

    assert ["s3cretive" in text for text in found] == [False] * 4


def test_a_decoded_password_is_masked_too() -> None:
    """Percent-encoded in the URL, plain in the driver's words."""
    url = "postgresql://me:p%40ssword@db/chat"

    assert masked("no: p@ssword p%40ssword", {}, [url]) == "no: *** ***"


def test_a_password_of_libpqs_own_variable_is_masked() -> None:
    """PGPASSWORD is a secret as it stands."""
    assert masked("no: hush-hush", {"PGPASSWORD": "hush-hush"}, []) == "no: ***"


def test_a_password_in_a_file_is_masked(tmp_path: Path) -> None:
    """That of RUNG_DATABASE_FILE; a file that cannot be read has none."""
    (tmp_path / "f").write_text("postgresql://me:s3cretive@db/chat\n")

    assert masked("no: s3cretive", {"RUNG_DATABASE_FILE": str(tmp_path / "f")}, []) == "no: ***"
    assert masked("no: s3cretive", {"RUNG_DATABASE_FILE": str(tmp_path)}, []) == "no: s3cretive"


def test_nothing_is_masked_where_there_is_no_secret() -> None:
    """The text is left as it is."""
    assert masked("no secret", {}, ["-d", "postgresql://me@db/chat"]) == "no secret"


def test_a_fault_is_one_line() -> None:
    """Kind and message, however many lines the message had."""
    assert InternalError("ValueError", "a\n  b").cause == "internal: ValueError: a b"


def test_a_traceback_names_the_place() -> None:
    """For those who ask."""
    with pytest.raises(ValueError, match="invalid") as caught:
        int("odd")

    assert "test_a_traceback_names_the_place" in traceback_of(caught.value)
