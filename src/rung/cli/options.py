# ruff: noqa: RUF009 - a field is declared by `_option`, which calls `field`
"""
The options of `rung`: one table, the fields of `CliSettings`.

A new option is one field. Its name is the name of the option (`lock_timeout`, `--lock-timeout`)
and of its key in `[tool.rung]`. The parser, the help, what is read from the environment and from
pyproject.toml, and docs/reference/options.md follow from the table.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from rung.cli.values import (
    any_text,
    choice,
    duration,
    names,
    number_of,
    one_version,
    table_name,
)
from rung.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.planning.plan import IfAhead


class Option(NamedTuple):
    """
    The definition of an option.

    Attributes:
        help: one sentence, as the help shows it.
        metavar: what stands for its value; empty for a flag.
        read: reads a value; the second argument names the option or the setting, for errors.
        letter: its short form.
        commands: that have it, with `plan up` for a plan of up; empty for every command.
        variables: of the environment, the first that is set counts. One that ends in `_FILE`
            names a file with the value in it.
        is_key: whether `[tool.rung]` may set it.
        is_shared: whether `migrate` reads it there, and from its variable, too.
        default: as the help shows it.
        repeats: whether it may be repeated; the value is a tuple then.
        is_repeated: whether the commands of a hint repeat it: it names the database or the
            source, or says how long a statement waits for a lock.
        attribute: the field of `CliSettings`.
        name: with its dashes.
    """

    help: str
    metavar: str = ""
    read: Callable[[str, str], object] = any_text
    letter: str = ""
    commands: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    is_key: bool = False
    is_shared: bool = False
    default: str = ""
    repeats: bool = False
    is_repeated: bool = False
    attribute: str = ""
    name: str = ""

    @property
    def shown(self) -> str:
        """How the help shows it: its short form, its name and what stands for its value."""
        names = f"-{self.letter}, {self.name}" if self.letter else self.name
        return f"{names} {self.metavar}".rstrip()

    @property
    def key(self) -> str:
        """Its key in `[tool.rung]`."""
        return self.name.removeprefix("--")

    @property
    def is_common(self) -> bool:
        """Whether every command has it."""
        return not self.commands

    def is_of(self, command: str) -> bool:
        """Whether a command has it; `plan` has what `plan up` and the others have."""
        starts = f"{command} "
        return self.is_common or any(
            one == command or one.startswith(starts) for one in self.commands
        )


def _option(text: str, metavar: str = "", **more: Any) -> Any:  # noqa: ANN401 - any field's
    """Declare an option: its help, its metavar unless it is a flag, and what else is known."""
    found = Option(text, metavar, **more)
    empty: object = None if found.metavar else False
    if found.repeats or found.read is names:
        empty = ()
    return field(default=empty, metadata={"option": found})


_UP, _DOWN, _GOTO = ("up", "plan up"), ("down", "plan down"), ("goto", "plan goto")
_REDO = ("redo", "plan redo")
_RUN = ("up", "down", "goto", "redo")


@dataclass(frozen=True, slots=True)
class CliSettings:
    """
    The value of every option, and the table of the options.

    A value that was not given is None, False or empty. `resolve_settings` fills in what the
    environment and pyproject.toml say; durations are in seconds.
    """

    atomic: bool = _option(
        "run all migrations in one transaction: all of them are applied, or none", commands=_UP
    )
    resume: bool = _option(
        "first resume the migration that left the database dirty, after its last committed "
        "statement",
        commands=(*_UP, *_DOWN),
    )
    all: bool = _option("revert every migration", commands=_DOWN)
    allow_out_of_order: tuple[int, ...] = _option(
        "apply version V although newer versions are applied; may be repeated",
        "V",
        read=one_version,
        repeats=True,
        commands=(*_UP, *_GOTO),
    )
    allow_missing_down: bool = _option(
        "pass versions whose down file is empty or missing, and record them as not reverted",
        commands=(*_DOWN, *_GOTO),
    )
    use_edited_down: bool = _option(
        "run a down file although its up file was edited, where the history holds no down",
        commands=(*_DOWN, *_GOTO, *_REDO),
    )
    run_stored_sql: tuple[str, ...] = _option(
        "run the stored down with this hash although other roles may have written it; may be "
        "repeated",
        "SHA256",
        read=lambda text, _: text.lower(),
        repeats=True,
        commands=(*_DOWN, *_GOTO, *_REDO),
    )
    if_ahead: IfAhead | None = _option(
        "what to do if the database is ahead of the files: nothing if it is declared compatible, "
        "always fail, or always nothing",
        "compatible|fail|ok",
        read=choice("compatible", "fail", "ok"),
        is_key=True,
        default="compatible",
        commands=_UP,
    )
    lock_timeout: float | None = _option(
        "how long a statement may wait for a lock; 0 for no limit",
        "DURATION",
        read=duration,
        is_key=True,
        default="200ms",
        commands=_RUN,
        is_repeated=True,
    )
    lock_retry_for: float | None = _option(
        "how long to keep retrying after a lock timeout",
        "DURATION",
        read=duration,
        is_key=True,
        default="10m",
        commands=_RUN,
    )
    cancel_blockers: tuple[str, ...] = _option(
        "cancel queries of the application NAME that block a migration; may be repeated",
        "NAME",
        read=lambda text, _: text,
        repeats=True,
        commands=_RUN,
        is_repeated=True,
    )
    strict: bool = _option(
        "also fail if an up file holds no statement and does not declare it", commands=("check",)
    )
    require_downs: bool = _option(
        "also fail if a down file is empty or missing", is_key=True, commands=("check",)
    )
    timeout: float | None = _option(
        "how long to wait; without it there is no limit",
        "DURATION",
        read=duration,
        commands=("wait",),
    )
    faults: int | None = _option(
        "how many faults to inject; without it every cut point once, and kills",
        "N",
        read=number_of("number of faults"),
        commands=("certify",),
    )
    seed: int | None = _option(
        "draw the same faults again; without it they differ each time",
        "S",
        read=number_of("seed"),
        commands=("certify",),
    )
    timestamp: bool = _option(
        "number the files by the time in UTC instead of by sequence", commands=("create",)
    )
    scratch: str | None = _option(
        "a server on which to try the files, in scratch databases that are dropped again",
        "URL",
        variables=("RUNG_SCRATCH",),
        default="an embedded server",
        commands=("repair", "verify"),
    )
    scratch_superuser: bool = _option(
        "run the files on scratch as a superuser, who may run programs: for trusted files only",
        commands=("verify",),
    )
    since: str | None = _option(
        "verify only migrations whose files changed since the branch left REF",
        "REF",
        commands=("verify",),
    )
    format: str | None = _option(
        "how to print the verdicts: text, or github for annotations of a pull request",
        "FORMAT",
        read=choice("text", "github"),
        default="text",
        commands=("verify",),
    )
    budget: float | None = _option(
        "how long one file may run on scratch; one that takes longer is not proved",
        "DURATION",
        read=duration,
        is_key=True,
        default="5m",
        commands=("verify",),
    )
    done: int | None = _option(
        "how many statements of the file are done, where the schema cannot tell",
        "K",
        read=number_of("number of statements"),
        commands=("repair",),
    )
    allow_data_loss: bool = _option(
        "roll back although the rows that the proposal lists are lost; needed besides --yes",
        commands=("repair",),
    )
    allow_missing_file: bool = _option(
        "record a version that has no migration file", commands=("force",)
    )
    new_ledger: bool = _option(
        "make a ledger although the database has one under another name", commands=("force",)
    )
    not_applied: tuple[int, ...] = _option(
        "record that version V is not applied; may be repeated",
        "V",
        name="--not",
        read=one_version,
        repeats=True,
        commands=("mark-applied",),
    )
    allow_live_holder: bool = _option(
        "break a lease although its holder sent a heartbeat recently", commands=("unlock",)
    )
    database: str | None = _option(
        "a URL or libpq keyword string; `embedded` for a disposable PostgreSQL, `embedded:DIR` "
        "for one that keeps its data; without it libpq's variables PG*",
        "URL",
        letter="d",
        variables=("RUNG_DATABASE", "RUNG_DATABASE_FILE", "DATABASE_URL"),
        is_key=True,
        is_repeated=True,
    )
    source: str | None = _option(
        "the folder of the migrations, or package:NAME",
        "DIR",
        letter="s",
        variables=("RUNG_SOURCE",),
        is_key=True,
        default="migrations",
        is_repeated=True,
    )
    role: str | None = _option(
        "the role to set in the database", "NAME", is_key=True, is_repeated=True
    )
    ledger_table: str | None = _option(
        "the ledger: NAME or SCHEMA.NAME, case-sensitive",
        "NAME",
        read=table_name,
        is_key=True,
        is_shared=True,
        default="schema_migrations",
        is_repeated=True,
    )
    history_table: str | None = _option(
        "the history: NAME or SCHEMA.NAME, case-sensitive",
        "NAME",
        read=table_name,
        is_key=True,
        is_shared=True,
        default="the ledger's name with _history",
        is_repeated=True,
    )
    ledger_writers: tuple[str, ...] = _option(
        "other roles that migrate with golang-migrate, separated by commas; they are granted "
        "what it needs when the ledger is made",
        "ROLES",
        read=names,
        variables=("RUNG_LEDGER_WRITERS",),
        is_key=True,
        is_shared=True,
        is_repeated=True,
    )
    wait_for_lock: float | None = _option(
        "how long to wait for another run: 0, 500ms, 30s, 5m, 1h30m",
        "DURATION",
        read=duration,
        is_key=True,
        default="as long as it lives",
    )
    yes: bool = _option("answer every question with yes", letter="y")
    json: bool = _option("print the result as JSON on stdout")
    quiet: bool = _option("print only errors and questions on stderr", letter="q")
    verbose: bool = _option("print modes, statements and notices on stderr", letter="v")
    no_color: bool = _option("print without colours", variables=("NO_COLOR",))
    help: bool = _option("show the help", letter="h")
    version: bool = _option("print the version of rung")
    database_file: str | None = None
    """Not an option: a file with the database's URL, read when the database is needed."""

    def need_database(self) -> str:
        """
        Return the database.

        Raises:
            UsageError: none was given, or the file that holds it cannot be read.
        """
        if self.database_file is not None:
            from rung.cli.config import read_database_file

            return read_database_file(self.database_file)
        if self.database is None:
            raise UsageError(
                "no database was given",
                "pass --database URL, set RUNG_DATABASE, RUNG_DATABASE_FILE, DATABASE_URL or "
                "libpq's PGHOST, or set database in [tool.rung] of pyproject.toml; --database "
                "embedded starts a disposable PostgreSQL",
            )
        return self.database

    def need_source(self) -> str:
        """
        Return the source of migrations.

        Raises:
            UsageError: none was given, and there is no folder `migrations`.
        """
        if self.source is None:
            raise UsageError(
                "no source of migrations was given, and there is no folder migrations here",
                "pass --source DIR or --source package:NAME, set RUNG_SOURCE, or set source in "
                "[tool.rung] of pyproject.toml; "
                "`rung create NAME --source migrations` makes the folder",
            )
        return self.source


OPTIONS: dict[str, Option] = {
    option.name: option
    for one in fields(CliSettings)
    if (found := one.metadata.get("option"))
    for name in [found.name or f"--{one.name.replace('_', '-')}"]
    for option in [found._replace(attribute=one.name, name=name)]
}
"""Every option by its name, in the order of the help."""

LETTERS = {option.letter: option for option in OPTIONS.values() if option.letter}
"""The options with a short form, by its letter."""

GOLANG_MIGRATE = frozenset(
    ("-database", "-help", "-lock-timeout", "-path", "-prefetch", "-source", "-verbose", "-version")
)
"""golang-migrate's options: with one dash, and none of them a group of letters."""
