"""Large texts: what reading one holds, and marks that stand where its parts meet."""

from __future__ import annotations

import tracemalloc

import pytest

from rung.script import Dialect, holds, read, secrets_of

_PART = 1 << 20
ROW = "INSERT INTO d VALUES (1, 'some text', 'it''s another; text with -- marks');\n"


@pytest.mark.long
@pytest.mark.parametrize("dialect", [Dialect.POSTGRES, Dialect.SQLITE])
@pytest.mark.parametrize("row", [ROW, ROW.replace("text", "téxt —")])
def test_reading_holds_little_more_than_the_text(row: str, dialect: Dialect) -> None:
    """Statements and tokens take less than 3 bytes for each character, and 16 on the way."""
    text = row * 2000
    tracemalloc.start()
    script = read(text, dialect)
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(script.statements) == 2000
    assert (held < 3 * len(text), most < 16 * len(text)) == (True, True)


def test_a_range_of_statements_keeps_their_numbers() -> None:
    """A slice, an index from either end and the whole give the same values."""
    whole = read("SELECT 1; SET a = 2;\nCOMMIT; SELECT 4").statements
    part = whole[1:3]

    assert [one.number for one in part] == [2, 3]
    assert (part[0], part[-1], part[1:][0]) == (whole[1], whole[2], whole[-2])
    assert (list(reversed(part)), part.touch_session) == ([whole[2], whole[1]], True)
    assert (part == (whole[1], whole[2]), part == whole) == (True, False)
    assert not whole[2:].touch_session


@pytest.mark.parametrize("before", range(_PART - 12, _PART + 2))
def test_a_mark_where_two_parts_meet(before: int) -> None:
    """A mark is found wherever it stands, in whatever case."""
    text = "x" * before + "PG_Temp" + "y" * 10

    assert (holds(text, "pg_temp"), holds(text[:-14] + "z" * 14, "pg_temp")) == (True, False)


@pytest.mark.parametrize("blanks", [1, 40, 100, 5000])
@pytest.mark.parametrize("cut", [0, 3, 8, 30, 99])
def test_a_secret_where_two_parts_meet(blanks: int, cut: int) -> None:
    """CREATE USER in one part and its end in the next, with any blanks between, is a command."""
    command = f"CREATE{' ' * blanks}USER a PASWORD 'geheim12'"
    text = "\n" * (_PART - cut) + command

    assert "geheim12" in secrets_of(read(text)).values
