"""How long a server lives: as long as anybody uses it, and not longer."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.integration.embedded.users import alive, await_stopped, wait_for

from rung.embedded import start

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.embedded.users import User

    Use = Callable[..., User]


def test_a_killed_user_takes_its_server_along(use: Use) -> None:
    """
    After kill -9 of the only user, server, supervisor and folder go by themselves.
    """
    user = use().up()
    user.kill()

    assert wait_for(lambda: not alive(user.pid))
    assert wait_for(lambda: not alive(user.supervisor_pid))
    assert not user.socket_dir.parent.exists()


def test_a_server_stays_until_its_last_user(use: Use, place: Path) -> None:
    """
    Two users of a folder share one server, which outlives the first of them.
    """
    first, second = use(place / "db").up(), use(place / "db").up()
    assert first.pid == second.pid

    first.kill()
    assert not wait_for(lambda: not alive(first.pid), seconds=0.5)
    second.end()
    assert wait_for(lambda: not alive(first.pid))


def test_a_user_that_comes_while_the_server_stops_gets_a_new_one(use: Use, place: Path) -> None:
    """
    Taking the folder again and again, at once after letting go, never fails.
    """
    pids = []
    for _ in range(5):
        user = use(place / "db").up()
        pids.append(user.pid)
        user.end()

    assert len(set(pids)) == 5


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux")
@pytest.mark.parametrize("kept", [False, True])
def test_a_killed_supervisor_takes_its_server_along(use: Use, place: Path, *, kept: bool) -> None:
    """
    After kill -9 of the supervisor the kernel stops the server.
    """
    user = use(*[place / "db"][: int(kept)]).up()
    os.kill(user.supervisor_pid, signal.SIGKILL)

    assert wait_for(lambda: not alive(user.pid))


def test_a_folder_is_usable_after_its_supervisor_was_killed(use: Use, place: Path) -> None:
    """
    With the old user still there, a new one gets a new server on the same data.
    """
    first = use(place / "db").up()
    os.kill(first.supervisor_pid, signal.SIGKILL)
    second = use(place / "db").up()

    assert first.pid != second.pid
    assert alive(second.pid)
    assert not first.socket_dir.parent.exists()


def test_a_terminated_supervisor_stops_its_server(use: Use) -> None:
    """
    SIGTERM to the supervisor, as at a logout, ends the server in good order.
    """
    user = use().up()
    os.kill(user.supervisor_pid, signal.SIGTERM)

    assert wait_for(lambda: not alive(user.supervisor_pid))
    assert not alive(user.pid)


def test_a_crashed_server_leaves_no_supervisor(use: Use) -> None:
    """
    When the server itself is killed, its supervisor cleans up and ends.
    """
    user = use().up()
    os.kill(user.pid, signal.SIGKILL)

    assert wait_for(lambda: not alive(user.supervisor_pid))
    assert not user.socket_dir.parent.exists()


def test_six_users_at_once_on_a_cold_cache(use: Use, place: Path) -> None:
    """
    Processes that start together make one template and get a server each.
    """
    users = [use(environ={"XDG_CACHE_HOME": str(place)}) for _ in range(6)]
    pids = {user.up().pid for user in users}

    assert len(pids) == 6
    assert len(list((place / "rung").glob("data-*/data"))) == 1


def test_six_users_at_once_share_a_new_folder(use: Use, place: Path) -> None:
    """
    Processes that take a new folder together share one server.
    """
    users = [use(place / "db") for _ in range(6)]

    assert len({user.up().pid for user in users}) == 1


def test_programs_started_by_a_user_do_not_count(place: Path) -> None:
    """
    The lock is not passed on to a program that outlives the user.
    """
    with start() as server:
        assert not os.get_inheritable(server._use.descriptor)


def test_letting_go_twice_is_no_fault() -> None:
    """
    A second close does nothing, not even to a file that took the same number since.
    """
    server = start()
    server.close()
    with Path(os.devnull).open() as other:
        server.close()
        assert other.read() == ""


def test_data_written_before_the_last_user_left_are_there_again(place: Path) -> None:
    """
    A kept folder keeps its data from one server to the next.
    """
    with start(place / "db") as server, psycopg.connect(server.conninfo()) as connection:
        connection.execute("create table kept as select 7 as n")
    await_stopped(place / "db")
    with start(place / "db") as server, psycopg.connect(server.url()) as connection:
        rows = connection.execute("select n from kept").fetchall()

    assert rows == [(7,)]
