"""Snapshots as values: their text, what they leave out, and how they differ."""

from __future__ import annotations

from rung.snapshot import Aspect, Difference, Snapshot, differences, in_words

ONE = Snapshot.of([("table t", ""), ("column t.x", "integer"), ("owner of table t", "me")])
ONE_BACKWARDS = Snapshot.of(list(ONE.objects.items())[::-1])
OTHER = Snapshot.of([("column t.x", "bigint\nnot null"), ("table t", ""), ("view v", "SELECT 1")])


def test_the_text_is_sorted() -> None:
    """Whatever order the entries came in, the text is the same; long ones are indented."""
    assert OTHER.text == "column t.x: bigint\n    not null\ntable t\nview v: SELECT 1\n"
    assert ONE_BACKWARDS == ONE
    assert ONE_BACKWARDS.fingerprint == ONE.fingerprint
    assert ONE.fingerprint != OTHER.fingerprint


def test_two_entries_of_one_identity() -> None:
    """Both texts count, in whatever order they came."""
    first, second = (Snapshot.of([("a", one), ("a", other)]) for one, other in ("xy", "yx"))

    assert first == second
    assert first.objects == {"a": "x\ny"}


def test_parts_of_a_snapshot() -> None:
    """Owners may be left out, and a part be picked by identity."""
    assert list(ONE.without(Aspect.OWNER).objects) == ["column t.x", "table t"]
    assert OTHER.only({"view v", "view w"}).objects == {"view v": "SELECT 1"}


def test_differences() -> None:
    """What is added, removed and changed, with both sides."""
    found = differences(ONE, OTHER)

    assert found == (
        Difference("column t.x", "integer", "bigint\nnot null"),
        Difference("owner of table t", "me", None),
        Difference("view v", None, "SELECT 1"),
    )
    assert [one.kind for one in found] == ["changed", "removed", "added"]


def test_differences_in_words() -> None:
    """Each is a sentence; of long texts only the lines that differ are shown."""
    before = Snapshot.of([("view v", "a\nb"), ("table t", ""), ("index i", "x")])
    after = Snapshot.of([("view v", "a\nc"), ("table t", "unlogged"), ("index j", "x")])

    assert in_words(differences(before, after), "the file", "the database") == (
        "the database does not have index i, the file does",
        "the database has index j, the file does not",
        "table t is 'unlogged' in the database, plain in the file",
        "view v is 'c' in the database, 'b' in the file",
    )
