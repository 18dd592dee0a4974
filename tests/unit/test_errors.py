"""The error tree: what is in it, what each says, and that each survives a process boundary."""

from __future__ import annotations

import inspect
import pickle
import re
import traceback

import pytest

from rung import errors
from rung.errors import DownProblem, EditedFile, RungError, ServerMessage, SourceLocation
from rung.render.errors import full_text

SERVER = ServerMessage("no", "42601", "why", "do", "where")
DOWN_PROBLEMS = (
    DownProblem(4, "d", "4_d.down.sql", "irreversible", "the rows are gone"),
    DownProblem(3, "c", "3_c.down.sql", "empty"),
    DownProblem(2, "b", "", "missing", "was not kept"),
    DownProblem(1, "a", "1_a.down.sql", "edited"),
)
EXAMPLES: list[RungError] = [
    errors.UsageError('invalid number: "x"', "give one"),
    errors.SourceNotFound("folder", "no such file"),
    errors.EmptySource("folder"),
    errors.ForeignSource("folder", "goose", ["1_a.sql", "2_b.sql"], "split them"),
    errors.MigrationsBelow("folder", {"postgres": 1, "my sql": 2}),
    errors.NameUnusable(r"1_\xfc.up.sql", "is not in UTF-8"),
    errors.SourceUnreadable("1_a.up.sql", "permission denied"),
    errors.DuplicateMigration(1, "up", ["1_a.up.sql", "01_a.up.sql"]),
    errors.VersionTooLarge("99_a.up.sql"),
    errors.TextUnreadable("1_a.up.sql", "is not UTF-8 on line 2"),
    errors.ScriptError("it is wrong", 3, "1_a.up.sql"),
    errors.UnterminatedToken("a string is never closed", 3, "1_a.up.sql"),
    errors.UnbalancedTransaction("BEGIN without COMMIT", 3),
    errors.StatementMisplaced("VACUUM cannot run inside a transaction", 3, "1_a.up.sql"),
    errors.DirectiveUnusable("compatible-with takes one version", 3, "1_a.up.sql"),
    errors.ClientCommand("it is psql's", 3, "1_a.up.sql", 7, "leave it out"),
    errors.ForeignMarker("it is goose's", 3, "1_a.up.sql", 1, "split the file"),
    errors.DeclarationUnusable("the declaration empty has no reason", 3, "1_a.up.sql"),
    errors.UnwrittenMigration(7, "7_g.up.sql"),
    errors.DownRefused(DOWN_PROBLEMS[1:], "rung down 4"),
    errors.DownRefused(DOWN_PROBLEMS, "rung redo"),
    errors.RedoUnfinished(2, "rooms"),
    errors.StoredSqlUnconfirmed(2, "ab" * 32, "Others may write it.", "DROP TABLE a;", "rung down"),
    errors.DirtyLedger(3, "It began."),
    errors.DirtyLedger(None),
    errors.DirtyLedger(5, "It began.", 3),
    errors.DirtyLedger(5, "It began.", None, "rung down --resume"),
    errors.CannotResume(3, "its file is not here"),
    errors.CannotResume(None, "what stopped is a down", "rung down --resume"),
    errors.AtomicRefused(2, "2_b.up.sql", "VACUUM on line 1 cannot run inside a transaction"),
    errors.MissingMigrationFile(9, "ledger", [1, 3]),
    errors.MissingMigrationFile(9, "ledger", [1, 3], compatible=True),
    errors.MissingMigrationFile(2, "ledger", [1, 3]),
    errors.MissingMigrationFile(2, "target", [1, 3]),
    errors.MissingMigrationFile(2, "target", []),
    errors.MissingMigrationFile(9, "ledger", [1, 3], "The history knows it."),
    errors.OutOfOrderMigrations([2], ["2_b.up.sql"], 3, [3], 1),
    errors.OutOfOrderMigrations([0, 2], ["0_a.up.sql", "2_b.up.sql"], 3, [3], empty=[2]),
    errors.OutOfOrderMigrations([0, 2], ["0_a.up.sql", "2_b.up.sql"], 3, [1, 3]),
    errors.EditedMigrations([EditedFile(1, "1_a.up.sql", "-a\n+b"), EditedFile(2, "2_b.sql", "")]),
    errors.EditedMigrations([EditedFile(1, "1_a.up.sql", "+b\n" * 99)], 1),
    errors.EditedMigrations([EditedFile(2, "2_email.up.sql", "-a", "mine")], 3),
    errors.UnversionedDatabase("public", [f"t{number}" for number in range(20)], "It is there."),
    errors.UnversionedDatabase("public", ["users"]),
    errors.StoredSqlUnusable(9, "was not kept"),
    errors.PlanChanged(),
    errors.ConfirmationRequired("down"),
    errors.DatabaseError("it is away", "wait"),
    errors.DriverMissing("no driver", "install it"),
    errors.ConnectionFailed("no connection", "check"),
    errors.LedgerUnreadable("no ledger", "repair it"),
    errors.SchemaMissing("no schema", "create it"),
    errors.LedgerElsewhere("two ledgers", "name one"),
    errors.RightsMissing("no right", "grant it"),
    errors.RowSecurityHides("rows are hidden", "use the owner"),
    errors.TableRefused("the ledger is rejected", "name a table", "P0001"),
    errors.TablesUntrusted("a trigger of others", "drop it"),
    errors.PooledConnection("a pooler", "connect to the server"),
    errors.ReadOnlyDatabase("a standby", "use the primary"),
    errors.DatabaseBusy(label="chat.db", said="database is locked", waited=5.0),
    errors.QueryFailed("no", "", "42601"),
    errors.TableLocked(
        what="the ledger l",
        said="lock timeout",
        sqlstate="55P03",
        holders=("Blocked by process 7.",),
        ending="SELECT 7;",
    ),
    errors.DatabaseDamaged(
        what="the ledger l", damage="an index of it is damaged", said="no", sqlstate="XX002"
    ),
    errors.ScratchFailed("1_a.up.sql does not run on scratch", "name a server"),
    errors.RepairUndecided("the schema is the same", "see the rows", [2]),
    errors.VersionNotReached(5, 4, dirty=True, waited=0.5),
    errors.VersionNotReached(5, None, dirty=False, waited=0.5),
    errors.LockNotAcquired(0.5, "The lock is held by process 7."),
    errors.MigrationFailed(
        [1],
        "clean at version 1",
        version=2,
        name="b",
        direction="up",
        place=SourceLocation("2_b.up.sql", 3, 5, "\tbad sql"),
        server=SERVER,
        at_commit=True,
    ),
    errors.MigrationFailed(
        [],
        "Dirty.",
        version=2,
        direction="down",
        place=SourceLocation("f", 1),
        server=SERVER,
        dirty=True,
    ),
    errors.MigrationFailed(
        [],
        "Dirty.",
        version=2,
        direction="up",
        place=SourceLocation("f", 1),
        server=SERVER,
        dirty=True,
        resumes=False,
    ),
    errors.LedgerMoved([1], "Clean.", 2, "2_b.up.sql"),
    errors.LockLost([1], "Clean.", 2, "2_b.up.sql"),
    errors.LedgerDropped([1], "Clean.", 2, "2_b.up.sql", 'relation "x" does not exist'),
    errors.OwnWriteRefused([1], "Clean.", 2, "the ledger l", ["trigger t"], SERVER, "drop it"),
    errors.OwnWriteRefused([1], "Dirty.", 2, "the ledger l", [], SERVER, "x", "rung up --resume"),
    errors.UnexpectedTransactionControl([1], "Clean.", 2, "2_b.up.sql", "there is no transaction"),
    errors.ConnectionLost([1], "Clean.", 2, "reset", committed=True),
    errors.ConnectionLost([1], "Clean.", 2, "reset", committed=False),
    errors.ConnectionLost([1], "Clean.", 2, "reset"),
    errors.ConnectionLost([1], "Dirty.", 2, "reset", committed=False, dirty=True),
    errors.Stopped([1], "Clean.", [2, 3]),
    errors.Stopped([], "Clean.", []),
    errors.Stopped([1], "Dirty.", [2], dirty=True),
    errors.EmbeddedError("it failed", ["one", "two"], "try"),
    errors.BinariesNotFound("none found", ["here"]),
    errors.ServerNotStarted("initdb failed", ["log"]),
    errors.NotCertifiable("m fails without faults: no"),
]
BASES = {"RungError", "SourceError", "PlanError", "RunError"}


def classes() -> dict[str, type]:
    """Every public error class of the package's modules."""
    found: dict[str, type] = {}
    for module in vars(errors).values():
        if inspect.ismodule(module) and module.__name__.startswith("rung.errors."):
            found |= dict(inspect.getmembers(module, inspect.isclass))
    return {
        name: kind
        for name, kind in found.items()
        if issubclass(kind, RungError) and not name.startswith("_")
    }


def drawn() -> list[tuple[int, str]]:
    """The tree of the docstring: depth and name of each line."""
    lines = re.findall(r"^    ((?:[│├└ ─]{4})*)([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE)
    return [(len(indent) // 4, name) for indent, name in lines]


def test_the_drawn_tree_is_the_tree() -> None:
    """The docstring draws exactly the classes there are, each below its parent."""
    path: list[str] = []
    for depth, name in drawn():
        path[depth:] = [name]
        above = (kind.__name__ for kind in classes()[name].__mro__[1:])
        parent = next(name for name in above if not name.startswith("_"))
        assert parent == (path[depth - 1] if depth else "Exception")

    assert sorted(name for _, name in drawn()) == sorted(classes())


def test_all_are_exported() -> None:
    """What is exported is the tree and the four values that it carries."""
    values = ["DownProblem", "EditedFile", "ServerMessage", "SourceLocation"]
    assert errors.__all__ == sorted([*classes(), *values])


def test_every_class_has_an_example_here() -> None:
    """No error goes untested: each class but the bases is made below."""
    assert {type(error).__name__ for error in EXAMPLES} == set(classes()) - BASES


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_errors_pickle(error: RungError) -> None:
    """An error from another process is the same error."""
    copy = pickle.loads(pickle.dumps(error))

    assert (type(copy), str(copy), copy.args) == (type(error), str(error), error.args)
    assert vars(copy) == vars(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_errors_follow_the_labelled_form(error: RungError) -> None:
    """The first line has no label and no stop; all that follows is a place or has a label."""
    labels = [label for label, _ in error.blocks]

    assert str(error) == error.cause
    assert error.__notes__ == [*error.lines()]
    assert set(labels) <= {"detail", "database", "hint"}
    for text in (error.cause, error.hint):
        assert not text.endswith(".")
        assert not re.match("[A-Z][a-z]", text)


def test_a_note_of_a_caller_follows_ours() -> None:
    """`add_note` works as for every exception."""
    error = errors.PlanChanged()
    error.add_note("theirs")

    assert error.__notes__ == [*error.lines(), "theirs"]
    assert "".join(traceback.format_exception_only(error)).endswith("theirs\n")


def test_a_usage_error_is_a_value_error() -> None:
    """Callers who expect Python's own error for a bad argument get it."""
    assert issubclass(errors.UsageError, ValueError)


def test_a_failed_migration_as_it_is_read() -> None:
    """Server's words, place, line and caret, state, next command."""
    error = next(e for e in EXAMPLES if isinstance(e, errors.MigrationFailed))

    assert full_text(error).splitlines() == [
        "migration 2 (b) failed at COMMIT: no (SQLSTATE 42601)",
        "  --> 2_b.up.sql:3:5",
        "  3 | \tbad sql",
        "    | \t   ^",
        "detail: why",
        "detail: where",
        "hint: do",
        "database: clean at version 1",
        "hint: fix 2_b.up.sql and run the same command again; no force is needed",
    ]


def test_an_out_of_order_file_shows_every_way_out() -> None:
    """A higher number, an allowance, or a record of what the database has already."""
    error = errors.OutOfOrderMigrations([2], ["2_b.up.sql"], 3, [3], 1)

    assert error.cause == "out-of-order migration was never applied: 2_b.up.sql"
    assert "no run of 2. Newer versions are applied: 3." in error.detail
    was_empty = errors.OutOfOrderMigrations([2], ["2_b.up.sql"], 3, [3], 1, empty=[2])
    assert "no run of" not in was_empty.detail
    assert "recorded 2 as empty" in was_empty.detail
    ways, record = error.hint.splitlines()
    assert "a number above 3; or" in ways
    assert ways.endswith(
        "`rung up --allow-out-of-order 2`, or write -- rung: allow-out-of-order in the file"
    )
    assert record.endswith("record that: `rung mark-applied 2`")


def test_a_long_diff_is_cut() -> None:
    """An error shows a screen of a diff; the fact has all of it."""
    error = errors.EditedMigrations([EditedFile(1, "1_a.up.sql", "+b\n" * 99)])

    assert error.detail.splitlines()[-1] == "and 59 more lines"
    assert len(error.edits[0].diff.splitlines()) == 99


def test_a_connection_that_is_lost_in_the_middle_of_a_file() -> None:
    """To run again would only say that it is dirty."""
    lost = errors.ConnectionLost([1], "Dirty.", 2, "reset", committed=False, dirty=True)

    clean = errors.ConnectionLost([1], "Clean.", 2, "reset", committed=True)

    assert "rung up --resume" in lost.hint
    assert "run the same command" in clean.hint
