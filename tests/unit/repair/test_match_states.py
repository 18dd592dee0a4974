"""What a comparison of schemas comes to, and what else decides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.history import row
from tests.unit.repair.cases import THREE, candidate, snapshot, tried

from rung.ledger import Outcome
from rung.repair import State, StateMatch, judge
from rung.source import Direction

A, B = "table a", "table b"
CUT_OFF = replace(row(2, outcome=Outcome.RUNNING), statements_total=3)
VACUUM = "CREATE TABLE a (x int);\nVACUUM;\nCREATE TABLE b (x int);"


def found(
    live: tuple[str, ...], stated_done: int | None = None, **attempt: int | None
) -> StateMatch:
    """What the three statements are found to have done, by another tool or by an attempt."""
    entry = replace(CUT_OFF, **attempt) if attempt else None  # type: ignore[arg-type]
    return judge([[tried(candidate(attempt=entry), A, "", B)]], snapshot(*live), stated_done)


@pytest.mark.parametrize(
    ("live", "done", "open_"),
    [((), 0, ()), ((A,), None, (2,)), ((A, B), None, (2,))],
)
def test_the_schema_decides(live: tuple[str, ...], done: int | None, open_: object) -> None:
    """But for rows: what comes behind a change of them does not tell that it was made."""
    assert (found(live).done, found(live).undecided) == (done, open_)


@pytest.mark.parametrize("done", [1, 2])
def test_the_history_decides_what_leaves_no_trace(done: int) -> None:
    """Its count is exact for what it saw commit."""
    assert found((A,), statements_done=done, in_flight=None).done == done


def test_the_schema_is_believed_before_the_history() -> None:
    """Somebody has done the rest by hand; whether its change of rows too, nobody knows."""
    finding = found((A, B), statements_done=1, in_flight=None)

    assert (finding.done, finding.undecided, finding.at_least) == (None, (2,), 3)
    assert found((A, B), 3, statements_done=1, in_flight=None).done == 3
    assert "somebody has changed it since" in finding.evidence[1]


def test_what_was_under_way_and_leaves_no_trace_is_open() -> None:
    """The history cannot know whether it was done."""
    assert found((A,), statements_done=1, in_flight=2).undecided == (2,)


def test_what_may_be_run_again_is_not_asked_about() -> None:
    """VACUUM does no harm a second time."""
    entry = replace(CUT_OFF, statements_done=1, in_flight=2)
    one = tried(candidate(VACUUM, attempt=entry), A, "", B)

    assert judge([[one]], snapshot(A)).done == 1


@pytest.mark.parametrize("stated_done", [1, 2])
def test_a_word_decides(stated_done: int) -> None:
    """Where the schema is that of what somebody says."""
    finding = found((A,), stated_done)

    assert (finding.done, finding.evidence[-1]) == (
        stated_done,
        ("1 statement" if stated_done == 1 else f"{stated_done} statements")
        + " done, as given with --done",
    )


def test_a_word_against_the_schema_does_not() -> None:
    """The schema is not that behind three statements."""
    finding = found((A,), 3)

    assert (finding.done, finding.undecided) == (None, ())
    assert finding.reason == "the schema does not match the state after 3 statements of 2_m.up.sql"


@pytest.mark.parametrize(("stated_done", "told"), [(1, True), (2, False)])
def test_a_word_against_the_history_is_told(stated_done: int, *, told: bool) -> None:
    """It is taken where the schema allows it, and the count of the history stands beside it."""
    finding = found((A,), stated_done, statements_done=2)

    assert finding.done == stated_done
    sentence = "by the history 2 of 3 statements committed, which contradicts --done"
    assert (sentence in finding.evidence) == told


def test_no_state_is_equal() -> None:
    """The nearest is told with what differs."""
    finding = found((B,))

    assert finding.done is None
    assert finding.reason.endswith("nearest is the one after 0 of 3 statements of 2_m.up.sql")
    assert [one.identity for one in finding.differences] == [B]


def test_other_drift_is_counted() -> None:
    """What no file touches, and whose something is, does not matter."""
    finding = found(("table notes",))

    assert (finding.done, finding.drift) == (0, 1)


def test_an_invalid_index_is_half_a_statement() -> None:
    """It stands between the states before and behind its build."""
    one = candidate("CREATE TABLE a (x int);\nCREATE INDEX CONCURRENTLY i ON a (x);")
    finding = judge([[tried(one, A, "index i")]], snapshot(A, index_i="\ninvalid"))

    assert (finding.done, finding.partial) == (1, 2)


def test_nothing_is_left_inside_a_transaction_of_its_own() -> None:
    """Only its end is a state; what is around it and sets the session does not count."""
    one = tried(candidate(f"BEGIN;\n{THREE}\nCOMMIT;"), "", A, "", B, "")

    assert [state.done for state in one.states] == [0, 5]


def test_two_files_that_mean_the_same() -> None:
    """A finished down of 3 leaves what the up of 2 makes: version 2 is there either way."""
    up = tried(candidate(), A, "", B)
    down = replace(candidate("DROP TABLE c;", Direction.DOWN, version=3), after=2)
    ended = replace(up.states[-1], done=1)
    both = [[up], [replace(tried(down, ""), states=(State(0, snapshot("table c")), ended))]]

    finding = judge(both, snapshot(A, B))

    assert (finding.undecided, finding.at_least) == ((2,), 3)
    assert judge(both, snapshot(A, B), stated_done=3).done == 3


def test_two_files_that_mean_another() -> None:
    """Where the down of a version that leaves no trace may have begun, nobody can tell."""
    up = tried(candidate(), A, "", B)
    down = candidate("UPDATE users SET x = 2;", Direction.DOWN, version=3)
    traceless = tried(replace(down, after=2), "")
    behind = tuple(replace(state, snapshot=up.states[-1].snapshot) for state in traceless.states)
    finding = judge([[up], [replace(traceless, states=behind)]], snapshot(A, B))

    assert (finding.done, finding.undecided) == (None, ())
    assert "does not show whether 2_m.up.sql ran or 3_m.down.sql" in finding.reason


def test_no_suspect() -> None:
    """Without a file there is nothing to compare."""
    assert judge([], snapshot()).reason == "no file could have left this state"


def test_a_schema_that_no_file_makes() -> None:
    """The file may have worked there: on scratch it could not."""
    one = tried(candidate("SET search_path = s1;\nCREATE TABLE a (x int);"), "", "table a")
    live = snapshot("schema s1", "table s1.a")

    assert judge([[one]], live).reason.endswith("names schema s1, which no file creates")
    assert judge([[one]], live, stated_done=0).done == 0
    assert judge([[one]], snapshot("schema s2", "table s2.a")).done == 0


def test_a_history_that_the_schema_denies_while_more_is_there() -> None:
    """What it saw commit may be what is there; without such objects somebody undid it."""
    attempt = replace(row(2, outcome=Outcome.FAILED), statements_done=3)
    one = tried(candidate(attempt=attempt), "table a", "", "table b")

    assert "no file creates (table z)" in judge([[one]], snapshot("table z")).reason
    undone = judge([[one]], snapshot())

    assert (undone.done, undone.undecided) == (None, ())
    assert "statement 2 ran too: what it changed" in undone.reason
    assert judge([[one]], snapshot(), stated_done=0).done == 0


@pytest.mark.parametrize(
    ("first", "asks"),
    [
        ("ALTER TABLE t ALTER price TYPE numeric USING price * 100", True),
        ("EXPLAIN ANALYZE UPDATE t SET x = 1", True),
        ("(SELECT f())", True),
        ("VALUES (f())", True),
        ("ALTER TABLE t DISABLE TRIGGER ALL", True),
        ("ALTER SEQUENCE s RESTART", True),
        ("ALTER TABLE t OWNER TO ada", False),
        ("CREATE ROLE r", False),
        ("VACUUM", False),
        ("LOCK TABLE t", False),
    ],
)
def test_what_was_counted_and_may_still_be_so(first: str, *, asks: bool) -> None:
    """A person took away what shows: only what changes no rows is gone with that."""
    attempt = replace(row(2, outcome=Outcome.FAILED), statements_done=2)
    one = tried(
        candidate(f"CREATE TABLE a ();\n{first};\nCREATE TABLE b ();", attempt=attempt), A, ""
    )
    found = judge([[one]], snapshot())

    assert (found.done is None) == asks
    assert ("statement 2 ran too" in found.reason) == asks
