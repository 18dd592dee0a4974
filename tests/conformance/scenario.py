"""
What a scenario is, and what is seen of a step: plain values that know no database.

A scenario says what to do; what came of it is an `Outcome` for each of its steps.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

SCHEMES = ("postgres", "pgx5", "sqlite3")
"""The database schemes that are compared."""

Files = tuple[tuple[str, "str | Special"], ...]
"""Names below the migrations folder, with what is there."""


@dataclass(frozen=True, slots=True)
class Special:
    """Something that is no plain file: a `folder`, a `link` to `target`, `wide` text, or `gone`."""

    kind: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """
    What happens beside a command.

    Attributes:
        hold: SQL that another session runs before the command, and keeps what it took.
        seconds: how long it keeps it.
        at_prompt: the session begins when the command asks, and not before.
        signal: the signal that is sent, such as INT; none where it is empty.
        once: the text of a running statement that says that it is time for the signal.
    """

    hold: str = ""
    seconds: float = 0.0
    at_prompt: bool = False
    signal: str = ""
    once: str = "pg_sleep"


@dataclass(frozen=True, slots=True)
class Better:
    """
    How our outcome of a step is meant to differ from golang-migrate's.

    Attributes:
        difference: its id in docs/reference/differences-from-golang-migrate.md.
        schemes: where it holds.
        exit: our exit code, where it is another.
        more: our stderr begins with golang-migrate's, or with `stderr`, and goes on.
        stderr: our whole stderr, unless there is more.
        has: what must stand in our stderr.
        lacks: what must not.
        ledger: our ledger, where it is another.
        state: `before`: nothing but what was there before the step.
        gains: lines that our schema and data have beyond golang-migrate's.
        loses: the start of lines of golang-migrate's schema and data that ours has not.
        made: the files that ours makes, where they are others.
    """

    difference: str
    schemes: tuple[str, ...] = SCHEMES
    exit: int | None = None
    more: bool = False
    stderr: str | None = None
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    ledger: str | None = None
    state: str = ""
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    made: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """
    One command, and what is done before it.

    Attributes:
        words: the command's words, with placeholders.
        query: more of the query of `{url}`.
        stdin: what the command reads; None: nothing, at once at its end.
        sql: run before the command, by the owner of the database.
        files: put into the folder before the command.
        env: environment variables beside the few that a command needs.
        cwd: the working directory, with placeholders.
        user: who connects.
        meanwhile: what happens beside the command.
        better: where ours differs.
    """

    words: tuple[str, ...]
    query: str = ""
    stdin: str = ""
    sql: str = ""
    files: Files = ()
    env: tuple[tuple[str, str], ...] = ()
    cwd: str = "{work}"
    user: str = ""
    meanwhile: Meanwhile | None = None
    better: tuple[Better, ...] = ()

    def better_for(self, scheme: str) -> Better | None:
        """Give the difference that is meant under a scheme."""
        return next((each for each in self.better if scheme in each.schemes), None)


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    A folder, a database and what is done with them.

    Attributes:
        id: its name; those that start with `sNN` tell of a point of golang-migrate's behaviour.
        tells: what it shows, in a sentence.
        schemes: for which databases it is.
        files: the migrations folder.
        start: the ledger: `none` for no table, `nil` for an empty one, or rows as `(3,f)`;
            what the ups to its version make is there too.
        sql: run after that.
        steps: what is done, in order.
        generated: nobody wrote it, and `rules` says where ours differs.
    """

    id: str
    tells: str
    schemes: tuple[str, ...] = SCHEMES
    files: Files = ()
    start: str = "none"
    sql: str = ""
    steps: tuple[Step, ...] = ()
    generated: bool = False

    @property
    def digest(self) -> str:
        """What changes when golang-migrate has to be asked again."""
        asked = [repr(replace(step, better=())) for step in self.steps]
        text = "\n".join((repr(self.files), self.start, self.sql, *asked))
        return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class State:
    """
    A database as it is seen.

    Attributes:
        ledger: `none`, `nil`, or the rows as `(3,f)`; with names where it is another table.
        schema: what there is but for our history, sorted.
        data: the rows of other tables, sorted.
    """

    ledger: str
    schema: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What a command gave back: its exit code, None where it had to be killed, and its words."""

    exit: int | None
    stderr: str
    stdout: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command said, made comparable, the state that it left, and files that it made."""

    said: Said
    state: State
    made: tuple[str, ...] = ()
