"""What the last columns of a look say of other writers, and the note on the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.drivers.postgres.privileges import Note, read_note, read_writers, revokes
from rung.drivers.postgres.quoting import Sql

if TYPE_CHECKING:
    from rung.drivers.inspection import OtherWriters

_CLOSED = "rung: closed to others after row 7, state abc"


def found(*lines: str, comment: str | None = None, state: str = "abc") -> OtherWriters:
    """What such columns say; `deploy` is meant to write the ledger."""
    text = "\n".join(lines) or None
    return read_writers((text, comment, state, "t", "t"), ("deploy",), has_history=True)


def test_one_phrase_for_each_role_and_other_way() -> None:
    """Rights of one role stand together, each table by itself."""
    writers = found(
        "history\trole\tapp\tUPDATE",
        "history\trole\tapp\tINSERT",
        "history\trole\tPUBLIC\tUPDATE (error)",
        "history\trule\tr\t",
        "lease\ttrigger\tt\tapp",
        "ledger\towner\tapp\t",
    )

    assert writers.history == (
        'rule "r" rewrites what is written',
        'role "app" has INSERT, UPDATE',
        "PUBLIC has UPDATE (error)",
    )
    assert writers.lease == ('trigger "t" runs a function of role "app"',)
    assert writers.ledger == ('role "app" owns it',)


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("ledger\trole\tdeploy\tTRUNCATE", False),
        ("ledger\trole\tdeploy\tTRIGGER", True),
        ("ledger\trole\tdeploy\tUPDATE (dirty)", True),
        ("history\trole\tdeploy\tTRUNCATE", True),
    ],
)
def test_who_is_meant_to_write_the_ledger(line: str, counts: bool) -> None:  # noqa: FBT001
    """Needs no mention for what golang-migrate needs there, and has to be named otherwise."""
    writers = found(line)

    assert bool(writers.ledger or writers.history) is counts


@pytest.mark.parametrize(
    ("comment", "state", "closed_after"),
    [
        (None, "abc", None),
        ("ours", "abc", None),
        (_CLOSED, "abc", 7),
        (f"ours\n{_CLOSED}\nmore", "abc", 7),
        (_CLOSED, "changed", None),
        (f"{_CLOSED} or so", "abc", None),
        ("rung: open to others", "abc", None),
    ],
)
def test_the_note_counts_while_nothing_changed(
    comment: str | None, state: str, closed_after: int | None
) -> None:
    """Only a whole line of it, of the state that the rights have now."""
    assert found(comment=comment, state=state).closed_after == closed_after


def test_an_open_history_is_not_closed_whatever_the_note_says() -> None:
    """A membership leaves the state as it was."""
    assert found("history\trole\tapp\tUPDATE", comment=_CLOSED).closed_after is None


@pytest.mark.parametrize(("may_write", "stands"), [("f", "t"), ("t", "f")])
def test_a_note_of_somebody_else_tells_nothing(may_write: str, stands: str) -> None:
    """Who cannot comment could not have noted that it was open; an owner before may have lied."""
    columns = (None, _CLOSED, "abc", may_write, stands)

    assert read_note(columns).closed_after is None
    assert read_writers(columns, (), has_history=False).closed_after == 0


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("", "rung: closed to others after row 9, state new"),
        ("ours", "ours\nrung: closed to others after row 9, state new"),
        (f"ours\n{_CLOSED}\nmore", "ours\nrung: closed to others after row 9, state new\nmore"),
    ],
)
def test_a_note_leaves_other_words_alone(comment: str, expected: str) -> None:
    """It replaces its own line."""
    assert Note(comment, "new", may_write=True).written(9) == expected
    assert Note(comment, "new", may_write=True).written(None).count("rung: ") == 1


def test_names_in_the_question_are_texts() -> None:
    """No name of a table or role becomes SQL."""
    asked = revokes((Sql('"a\'b"'),), Sql('"a\'b"'), ("x'); DROP TABLE t; --",))

    assert "E'\"a''b\"'" in asked
    assert "E'x''); DROP TABLE t; --'" in asked
