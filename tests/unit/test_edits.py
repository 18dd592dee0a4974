"""Which files were edited after they were applied, and how they differ."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import pytest
from tests.unit.fakes import migrations
from tests.unit.history import digest, row

from rung.ledger import Attempt, LedgerState
from rung.planning.edits import differences, edits, uncompared
from rung.planning.history_replay import reconcile
from rung.source import Direction

UP, DOWN = "create table a ();\nselect 1;", "drop table a;"


def edited(entry: Attempt, **halves: str) -> list[tuple[int, str]]:
    """The edited halves of files, beside a history of one row."""
    files = migrations(**halves)
    found = edits(reconcile((entry,), LedgerState(entry.version), files), files)
    return [(edit.version, edit.direction.value) for edit in found]


@pytest.mark.parametrize(
    ("now", "is_edited"),
    [
        (UP, False),
        (UP.replace("\n", "\r\n"), False),
        (f"-- a licence\n\n  {UP.upper()}", False),
        (UP + "\n-- rung: no-transaction", True),
        (UP.replace("1", "2"), True),
        ("create table a (", True),
        ("create table 'a", True),
        ("", True),
    ],
)
def test_an_up(now: str, is_edited: bool) -> None:  # noqa: FBT001 - a fact of the case
    """What the SQL says counts; comments, spacing, case and line ends do not."""
    found = edited(row(1, up=UP, down=DOWN), up1=now, down1=DOWN)

    assert found == ([(1, "up")] if is_edited else [])


def test_a_down() -> None:
    """A down that was fixed, or added afterwards, is told apart from an up."""
    assert edited(row(1, up=UP, down=DOWN), up1=UP, down1="drop table b") == [(1, "down")]
    assert edited(row(1, up=UP), up1=UP, down1=DOWN) == [(1, "down")]
    assert edited(row(1, up=UP, down=DOWN), up1=UP) == []


def test_equal_digests_spare_the_reading() -> None:
    """Where the text is the same to the letter, the checksum is not asked."""
    entry = replace(row(1, up=UP), up_checksum="another")

    assert edited(entry, up1=UP) == []
    assert edited(entry, up1=UP + " ") == [(1, "up")]


def test_a_formula_of_a_newer_rung() -> None:
    """A checksum that cannot be compared here is no edit, and its version is named."""
    entry = replace(row(1, up=UP), up_checksum="another", checksum_formula=99)
    same, other = migrations(up1=UP), migrations(up1="select 2")
    applied = reconcile((entry,), LedgerState(1), other)

    assert edited(entry, up1="select 2") == []
    assert uncompared(applied, other) == (1,)
    assert uncompared(applied, same) == ()


def test_an_older_formula_stays_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checksum is compared by the formula that made it, not by the newest one."""
    entry, module = row(1, up=UP), import_module("rung.script.checksum")
    monkeypatch.setattr(module, "CHECKSUM_FORMULA", 2)
    monkeypatch.setitem(module._FORMULAS, 2, lambda _: "new")

    assert edited(entry, up1=UP + " ") == []
    assert edited(entry, up1="select 2") == [(1, "up")]


def test_a_version_without_texts() -> None:
    """What was forced without a file holds nothing to compare with."""
    assert edited(row(1, "force", up=None), up1=UP) == []


def test_differences() -> None:
    """A unified diff under the file's name; line ends make no difference."""
    assert differences(UP, UP.replace("1", "2"), "1_a.up.sql").splitlines() == [
        "--- 1_a.up.sql as applied",
        "+++ 1_a.up.sql now",
        "@@ -1,2 +1,2 @@",
        " create table a ();",
        "-select 1;",
        "+select 2;",
    ]
    assert differences(UP, UP.replace("\n", "\r\n"), "f") == ""


def test_the_order() -> None:
    """Edits come by version, the up before the down."""
    files = migrations(up1="1", down1="2", up2="3")
    found = edits(reconcile((row(1, down="x"), row(2)), LedgerState(2), files), files)

    assert [(one.version, one.direction) for one in found] == [
        (1, Direction.UP),
        (1, Direction.DOWN),
        (2, Direction.UP),
    ]


def test_a_half_that_could_not_be_read() -> None:
    """One without a checksum is held to its digest: the same text is no edit, another is one."""
    entry = replace(row(1, "force"), up_checksum=None, up_digest=digest("select 'open"))

    assert edited(entry, up1="select 'open") == []
    assert edited(entry, up1="select 'closed'") == [(1, "up")]
