"""
The commands that messages name: what prints each, and what a reader does before pasting it.

Each is printed by a call that names database and source on its command line, and by nothing
else, so that a hint which does not repeat them fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.errors.stage import Stage

_BAD_UNIT = "VACUUM users;\nCREATE INDEX CONCURRENTLY i ON users (nothing);\n"
_GOOD_UNIT = "VACUUM users;\nCREATE INDEX CONCURRENTLY i ON users (id);\n"
_LEASE = """
CREATE TABLE schema_migrations_lease (one bool PRIMARY KEY, owner uuid, taken timestamptz,
    heartbeat timestamptz, expires timestamptz, process integer, host text,
    database_user text, tool text);
INSERT INTO schema_migrations_lease
SELECT true, gen_random_uuid(), now(), now(), now() + {}, 77, 'box', 'ada', 'rung 0'
"""


def _nothing(_: Stage) -> None:
    pass


class Hint(NamedTuple):
    """
    One command of a message.

    Attributes:
        template: as the sources write it.
        prepare: what leads to the message; it finds three migrations and an empty database.
        command: what prints it; `@` stands for the options that name database and source.
        then: what a reader does before pasting, as the message says.
        fill: what a reader writes for what the message leaves open.
        code: how it ends when pasted.
    """

    template: str
    prepare: Callable[[Stage], object]
    command: str
    then: Callable[[Stage], object] = _nothing
    fill: tuple[tuple[str, str], ...] = ()
    code: int = 0


def _applied(stage: Stage) -> None:
    assert stage.run("up")[0] == 0


def _edited(name: str, text: str = "CREATE TABLE roles (name varchar);\n") -> Callable[..., None]:
    def prepare(stage: Stage) -> None:
        _applied(stage)
        stage.write(name, text)

    return prepare


def _bad_unit(stage: Stage) -> None:
    stage.write("3_rooms.up.sql", _BAD_UNIT)


def _stopped(stage: Stage) -> None:
    """The third file died behind its first unit."""
    _bad_unit(stage)
    assert stage.run("up")[0] == 4


def _unit_fixed(stage: Stage) -> None:
    stage.write("3_rooms.up.sql", _GOOD_UNIT)


def _dirty(stage: Stage) -> None:
    _applied(stage)
    stage.ask("UPDATE schema_migrations SET dirty = true")


def _late(stage: Stage) -> None:
    stage.remove("2_*")
    _applied(stage)
    stage.write("2_roles.up.sql", "CREATE TABLE roles (name text);\n")


def _late_and_dirty(stage: Stage) -> None:
    _late(stage)
    stage.write("2_roles.up.sql", _BAD_UNIT)
    assert stage.run("up", "--allow-out-of-order", "2")[0] == 4
    stage.remove("2_roles.up.sql")


def _late_is_back(stage: Stage) -> None:
    stage.write("2_roles.up.sql", "CREATE TABLE roles (name text);\n")


def _ahead(stage: Stage) -> None:
    _applied(stage)
    stage.remove("3_*")


def _without_files(stage: Stage) -> None:
    stage.remove("*")


def _without_folder(stage: Stage) -> None:
    stage.remove("*")
    stage.migrations.rmdir()


def _in_a_folder_below(stage: Stage) -> None:
    below = stage.migrations / "chat"
    below.mkdir()
    for file in stage.migrations.glob("*.sql"):
        file.rename(below / file.name)


def _numbered_twice(stage: Stage) -> None:
    stage.write("3_tags.up.sql", "CREATE TABLE tags ();\n")
    stage.write("3_tags.down.sql", "DROP TABLE tags;\n")


def _irreversible(stage: Stage) -> None:
    stage.write("3_rooms.down.sql", "-- rung: irreversible the rooms are gone\n")
    _applied(stage)


def _no_down(stage: Stage) -> None:
    stage.remove("3_rooms.down.sql")
    _applied(stage)


def _redo_failed(stage: Stage) -> None:
    _edited("3_rooms.up.sql", "CREATE TABEL rooms ();\n")(stage)
    assert stage.run("redo", "--yes")[0] == 1


def _room_fails(stage: Stage) -> None:
    stage.write("3_rooms.up.sql", "CREATE TABLE rooms (id txt);\n")


def _down_fails(stage: Stage) -> None:
    stage.write("2_roles.down.sql", "DROP TABLE nothing;\n")
    _applied(stage)


def _down_fixed(stage: Stage) -> None:
    stage.write("2_roles.down.sql", "DROP TABLE roles;\n")


def _room_fixed(stage: Stage) -> None:
    stage.write("3_rooms.up.sql", "CREATE TABLE rooms (id int);\n")


def _written_by_others(stage: Stage) -> None:
    _edited("3_rooms.up.sql")(stage)
    stage.ask("GRANT INSERT ON schema_migrations_history TO pg_monitor")


def _made_without_us(stage: Stage) -> None:
    """Recorded, not run; edited since, so that nothing of ours says what reverts it."""
    stage.ask("CREATE TABLE users (id int); CREATE TABLE roles (); CREATE TABLE rooms ()")
    assert stage.run("force", "3")[0] == 0
    stage.write("3_rooms.up.sql", "CREATE TABLE rooms (id bigint);\n")


def _users_are_there(stage: Stage) -> None:
    stage.ask("CREATE TABLE users (id int)")
    assert stage.run("force", "-1")[0] == 0


def _stored_down_fails(stage: Stage) -> None:
    _edited("3_rooms.up.sql", "CREATE TABLE rooms (id bigint);\n")(stage)
    stage.ask("DROP TABLE rooms")


def _down_written(stage: Stage) -> None:
    stage.write("3_rooms.down.sql", "DROP TABLE IF EXISTS rooms;\n")


def _built_then_failed(stage: Stage) -> None:
    """Its index cannot be built, and what its first statement made would be lost."""
    stage.write(
        "3_rooms.up.sql",
        "CREATE TABLE rooms (id int);\nCREATE UNIQUE INDEX CONCURRENTLY i ON roles (name);\n",
    )
    assert stage.run("up", "2")[0] == 0
    stage.ask("INSERT INTO roles VALUES ('admin'), ('admin')")
    assert stage.run("up")[0] == 4
    stage.ask("INSERT INTO rooms VALUES (1)")


def _rows_unique(stage: Stage) -> None:
    stage.ask("TRUNCATE roles; DROP INDEX IF EXISTS i")


def _untold(stage: Stage) -> None:
    """Only its first statement leaves a trace."""
    stage.write(
        "3_rooms.up.sql", "ALTER TABLE roles ADD COLUMN rank int;\nUPDATE roles SET rank = 1;\n"
    )
    assert stage.run("up", "2")[0] == 0
    stage.ask("UPDATE schema_migrations SET version = 3, dirty = true")
    stage.ask("ALTER TABLE roles ADD COLUMN rank int")


def _neither_is_ours(stage: Stage) -> None:
    """One has an up that was edited, the other no down, and nothing of ours ran."""
    _made_without_us(stage)
    stage.remove("2_roles.down.sql")


def _another_ledger(stage: Stage) -> None:
    assert stage.run("up", "--ledger-table", '"migrations of chat"')[0] == 0


def _others_may_write(stage: Stage) -> None:
    assert stage.run("up", "2")[0] == 0
    stage.ask("GRANT UPDATE ON schema_migrations TO pg_monitor")


def _ahead_of_the_schema(stage: Stage) -> None:
    """The ledger was written by hand, with the wrong number."""
    assert stage.run("up", "1")[0] == 0
    stage.ask("DROP TABLE schema_migrations_history; UPDATE schema_migrations SET version = 3")


def _four(stage: Stage) -> None:
    stage.write("4_tags.up.sql", "CREATE TABLE tags ();\n")


def _history_refuses(stage: Stage) -> None:
    """What is done of a file cannot be written."""
    assert stage.run("up", "2")[0] == 0
    _unit_fixed(stage)
    stage.ask(
        "ALTER TABLE schema_migrations_history "
        "ADD CONSTRAINT of_ops CHECK (statements_done <> 1) NOT VALID"
    )


def _history_takes_it(stage: Stage) -> None:
    stage.ask("ALTER TABLE schema_migrations_history DROP CONSTRAINT of_ops")


def _leased(for_long: str) -> Callable[[Stage], None]:
    def prepare(stage: Stage) -> None:
        _applied(stage)
        stage.ask(_LEASE.format(for_long))

    return prepare


def _away(stage: Stage) -> None:
    """The server's socket is to be found in a folder where it is not yet."""
    (stage.folder / "s").mkdir()
    stage.url = f"postgresql://postgres@/postgres?host={stage.folder / 's'}&port=5432"


def _there(stage: Stage) -> None:
    where = psycopg.conninfo.conninfo_to_dict(stage.conninfo)
    socket = f".s.PGSQL.{where.get('port', 5432)}"
    (stage.folder / "s" / ".s.PGSQL.5432").symlink_to(f"{where['host']}/{socket}")


_V3 = (("V", "3"),)
_NAME = (("NAME", "users"),)

HINTS = (
    Hint("rung {close}", _applied, "statsu @"),
    Hint("rung {one}", _nothing, "upgrade head @"),
    Hint("rung help {command or 'options'}", _nothing, "status --xyzzy @"),
    Hint("rung help", _nothing, "frobnicate @"),
    Hint("rung help COMMAND", _nothing, "help", fill=(("COMMAND", "up"),)),
    Hint("rung help options", _nothing, "--dir migrations @"),
    Hint("rung plan up", _nothing, "plan sideways @"),
    Hint("rung down --all", _applied, "down 2 --all @"),
    Hint("rung up 1 --resume", _stopped, "up --atomic --resume @", _unit_fixed),
    Hint("rung create NAME --source migrations", _without_folder, "up -d embedded", fill=_NAME),
    Hint("rung status", _applied, "goto 7 @"),
    Hint("rung force V", _dirty, "up @", fill=_V3),
    Hint("rung wait", _away, "status @", _there),
    Hint("rung history", _applied, "wait 7 --timeout 0 @"),
    Hint("rung unlock --allow-live-holder", _leased("'30 s'"), "unlock --yes @"),
    Hint("rung up", _irreversible, "down --yes @"),
    Hint("rung down", _redo_failed, "redo --yes @"),
    Hint("{self.command} --yes --run-stored-sql {self.sha256}", _written_by_others, "down --yes @"),
    Hint("{self._with('--use-edited-down')}", _made_without_us, "down --yes @"),
    Hint("{self._with('--allow-missing-down')}", _no_down, "down --yes @"),
    Hint("{self._with(options)}", _neither_is_ours, "down 2 --yes --allow-missing-down @"),
    Hint("rung create NAME", _without_files, "up @", fill=_NAME),
    Hint("rung up --source {meant}", _in_a_folder_below, "up @"),
    Hint("rung repair", _dirty, "up @"),
    Hint("rung force -1", _dirty, "up @"),
    Hint("{self.rename_command}", _numbered_twice, "up @"),
    Hint("rung up {allow}", _late, "up @"),
    Hint("rung mark-applied {' '.join(map(str, self.out_of_order))}", _late, "up @"),
    Hint("{self.resume}", _stopped, "up @", _unit_fixed),
    Hint("rung force {self.version}", _late_and_dirty, "up @", _late_is_back),
    Hint("rung redo", _edited("3_rooms.up.sql", "CREATE TABLE rooms ();\n"), "up @"),
    Hint("rung up --if-ahead {policy}", _ahead, "up @"),
    Hint("rung accept-edit {edit.version}", _edited("2_roles.up.sql"), "up @"),
    Hint("{self.command}", _dirty, "up --resume @"),
    Hint("rung mark-applied V", _users_are_there, "up @", fill=(("V", "1"),)),
    Hint("rung {direction} --resume", _bad_unit, "up @", _unit_fixed),
    Hint(
        "{self.again_command}",
        _edited("3_rooms.up.sql", "SELEC 1;\n"),
        "redo --yes @",
        _room_fixed,
    ),
    Hint("{self.again_command}", _room_fails, "up @", _room_fixed),
    Hint("{self.again_command}", _room_fails, "up 3 --lock-timeout 1s @", _room_fixed),
    Hint("{self.again_command}", _room_fails, "up --atomic @", _room_fixed),
    Hint("{self.again_command}", _room_fails, "goto 3 @", _room_fixed),
    Hint("{self.again_command}", _down_fails, "down 2 --yes @", _down_fixed),
    Hint("{self.again_command}", _down_fails, "redo 2 --yes @", _down_fixed),
    Hint("{self.resume}", _history_refuses, "up @", _history_takes_it),
    Hint("{problem.fix}", _leased("'-1 s'"), "doctor @"),
    Hint("rung up --resume", _built_then_failed, "repair --yes @", _rows_unique),
    Hint("rung repair --yes --allow-data-loss", _built_then_failed, "repair --yes @"),
    Hint("rung accept-edit {step.version}", _stored_down_fails, "down --yes @", _down_written),
    Hint("rung doctor", _others_may_write, "up @", code=8),
    Hint("rung mark-applied 3 4", _four, "mark-applied @"),
    Hint("rung accept-edit {version}", _edited("2_roles.up.sql"), "mark-applied 2 --yes @"),
    Hint("{way}", _built_then_failed, "repair --yes @", _rows_unique),
    Hint("rung repair --done K", _untold, "repair --yes @", fill=(("K", "1"),)),
    Hint("rung mark-applied {version}", _nothing, "force 3 @"),
    Hint("rung status --ledger-table {quote(found[0])}", _another_ledger, "force 3 @"),
    Hint("rung force {below}", _ahead_of_the_schema, "up @"),
    Hint("rung force V --new-ledger", _another_ledger, "force 3 @", fill=_V3),
)
