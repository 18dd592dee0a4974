"""`rung wait` before real servers: absent, late, starting, refusing, in recovery, restarted."""

from __future__ import annotations

import json
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from rung.errors import ConnectionFailed
from rung.migrator import Migrator

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.connections.machine import Machine

    Begin = Callable[..., subprocess.Popen[str]]

_LONGEST = 30.0


def _hear(process: subprocess.Popen[str], words: str) -> None:
    """Read what it says until the words are in a line of it."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    pytest.fail(f"it ended without saying {words!r}")


def _end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=_LONGEST)
    return process.returncode, out, err


def test_a_server_that_is_started_late(machine: Machine, begin: Begin) -> None:
    """It is waited for, with the reason, and found."""
    waiting = begin("wait", "--json", "--database", machine.conninfo)
    _hear(waiting, "detail: Waiting for the database: could not connect to postgres@")
    machine.start()

    code, out, err = _end(waiting)
    found = json.loads(out)
    assert (code, found["version"], found["dirty"]) == (0, None, False)
    assert found["waited_seconds"] > 0
    assert "database: at no version" in err


def test_a_server_that_never_starts(machine: Machine, begin: Begin) -> None:
    """The bound ends the waiting; the last reason is told."""
    code, _, err = _end(begin("wait", "3", "--timeout", "200ms", "-d", machine.conninfo))

    assert code == 7
    assert "did not answer within" in err


@pytest.mark.parametrize(
    "wrong", ["user=ada password=hush1", "user=ada", "dbname=nowhere", "user=nobody_here"]
)
def test_a_server_that_refuses_us(wrong: str, machine: Machine, begin: Begin) -> None:
    """It answers and will go on refusing: without a bound the waiting ends all the same."""
    machine.start()
    machine.await_answer()
    machine.ask("DROP ROLE IF EXISTS ada; CREATE ROLE ada LOGIN PASSWORD 'other'")

    code, _, err = _end(begin("wait", "--database", f"{machine.conninfo} {wrong}"))
    assert (code, "Waiting" in err, "hush1" in err) == (7, False, False)


def test_parameters_that_make_no_sense(begin: Begin) -> None:
    """Nothing is tried, so nothing is waited for."""
    assert _end(begin("wait", "-d", "host=127.0.0.1 sslmode=nonsense"))[0] == 7


def test_a_server_that_starts_up(machine: Machine, begin: Begin) -> None:
    """A server that refuses for now is waited for, through a restart of it."""
    (machine.data / "standby.signal").touch()
    machine.start(hot_standby="off")
    waiting = begin("wait", "--database", machine.conninfo)
    _hear(waiting, "the database system is")
    machine.stop()
    (machine.data / "standby.signal").unlink()
    machine.start()

    assert _end(waiting)[0] == 0


def _at(machine: Machine, version: int) -> None:
    """Have a ledger at a version."""
    machine.ask(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version bigint not null primary key, "
        f"dirty boolean not null); TRUNCATE schema_migrations; "
        f"INSERT INTO schema_migrations VALUES ({version}, false)"
    )


def test_a_standby(machine: Machine, begin: Begin) -> None:
    """Where it answers, a server in recovery is as good as any."""
    machine.start()
    machine.await_answer()
    _at(machine, 4)
    machine.stop()
    (machine.data / "standby.signal").touch()
    machine.start()

    assert _end(begin("wait", "4", "--database", machine.conninfo))[0] == 0


def test_a_version(machine: Machine, begin: Begin, tmp_path: Path) -> None:
    """The newest of the files is waited for, while another run brings it; a restart between."""
    (tmp_path / "5_m.up.sql").touch()
    machine.start()
    machine.await_answer()
    _at(machine, 4)
    waiting = begin("wait", "newest", "-s", str(tmp_path), "-d", machine.conninfo)
    _hear(waiting, "it is at version 4, not yet at version 5")
    machine.stop()
    machine.start()
    machine.await_answer()
    _at(machine, 6)

    code, out, err = _end(waiting)
    assert (code, out) == (0, "")
    assert "database: at version 6" in err


def test_a_version_that_does_not_come(machine: Machine, begin: Begin) -> None:
    """It answers, and that is told apart from no answer."""
    machine.start()
    machine.await_answer()
    _at(machine, 4)

    code, out, _ = _end(begin("wait", "5", "--timeout", "0", "--json", "-d", machine.conninfo))
    error = json.loads(out)["error"]
    assert (code, error["code"], error["version"]) == (3, "version-not-reached", 4)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals(number: int, code: int, machine: Machine, begin: Begin) -> None:
    """Either ends the waiting at once."""
    waiting = begin("wait", "--database", machine.conninfo)
    _hear(waiting, "Waiting for the database")
    waiting.send_signal(number)

    assert _end(waiting)[0] == code


def test_a_signal_while_nothing_answers(begin: Begin) -> None:
    """Nor does it wait for an answer that does not come: connect_timeout has an hour to go."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        place = f"host=127.0.0.1 port={port} sslmode=disable gssencmode=disable"
        waiting = begin("wait", "--database", f"{place} connect_timeout=3600")
        with deaf.accept()[0]:
            waiting.send_signal(signal.SIGTERM)
            assert _end(waiting)[0] == 143


def test_from_python(machine: Machine, tmp_path: Path) -> None:
    """The command does nothing that the library cannot."""
    machine.start()
    machine.await_answer()
    _at(machine, 4)

    assert Migrator(machine.conninfo, tmp_path).wait(4).version == 4
    with pytest.raises(ConnectionFailed):
        Migrator(f"{machine.conninfo} dbname=nowhere", tmp_path).wait()
