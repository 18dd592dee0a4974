"""
The process that owns one embedded server: starts it, waits until nobody uses it, stops it.

Each user holds a shared lock on one file. The supervisor waits for the exclusive lock on it, so the
kernel counts the users, and a killed user counts as ended at once.

It runs alone in a new interpreter, imports nothing of Rung and decides nothing: other modules
choose binaries, account and settings. If the supervisor itself is killed, Linux signals the server;
elsewhere the server runs until the next `start` of a persistent folder finds it, or until it is
stopped by hand.
"""

# The process must start in milliseconds: pathlib and contextlib would cost some of them.
# ruff: noqa: PTH105, PTH106, PTH108, PTH112, PTH114, PTH118, PTH119, PTH120, PTH123, PTH208, SIM105

from __future__ import annotations

import _thread
import errno
import fcntl
import os
import signal
import stat
import sys
import time

USERS = "users.lock"
"""Shared by each user; exclusive for the supervisor that stops the server."""
SUPERVISOR = "supervisor.lock"
"""Exclusive while a supervisor runs."""
SERVER = "server.lock"
"""Exclusive while the supervisor or any process of its server runs."""
STATE = "server.state"
"""The facts for later users, in lines; written when the server is ready."""

STATE_LINES = 4
LOG = "server.log"
"""The server's log since its start."""

READY_LINE = 7
PREFIX = "rung-"
"""The prefix of all folders that Rung creates in shared places."""

LOG_LINES = 20
PIPE_BYTES = 16000
READY_SECONDS = 60.0
OLD_SERVER_SECONDS = 60.0
SIGNAL_SECONDS = {signal.SIGINT: 120.0, signal.SIGQUIT: 8.0, signal.SIGKILL: 8.0}
SWEEP_AFTER_SECONDS = 60.0

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1


class SupervisorError(Exception):
    """The server could not be started; has the reason."""


def main(arguments: list[str]) -> int:
    """
    Run a command as another account, or supervise a server.

    Args:
        arguments: `run key=value… -- command…` or `keep key=value… -- command…`.
    """
    end = arguments.index("--")
    facts = dict(pair.split("=", 1) for pair in arguments[1:end])
    command = arguments[end + 1 :]
    if arguments[0] == "run":
        change_account(facts["identity"])
        os.execve(command[0], command, environment(facts))  # noqa: S606
    return keep(facts, command)


def keep(facts: dict[str, str], command: list[str]) -> int:
    """
    Detach, start the server on request, report, and stop the server when nobody uses it.

    Args:
        facts: `home` (locks, state and log), `data`, `socket` (its folder), `identity`,
            `stop` (a signal's number), `remove` (a folder to delete at the end), `version`,
            `library` (for LD_LIBRARY_PATH, or empty).
        command: the server's command line.
    """
    if os.fork():
        return 0
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    report, request = os.dup(1), os.read(0, 3)
    close_pipes()
    try:
        if request == b"go\n":
            serve(facts, command, report)
    finally:
        remove(facts["remove"])
    return 0


def serve(facts: dict[str, str], command: list[str], report: int) -> None:
    """Start the server, report to the caller, and wait for the server's end."""
    try:
        server = start(facts, command)
    except (SupervisorError, OSError) as error:
        log = read_lines(os.path.join(facts["home"], LOG))[-LOG_LINES:]
        os.write(report, "\n".join(("failed", str(error), *log)).encode()[:PIPE_BYTES])
        return
    os.write(report, f"ready\n{server}\n{os.getpid()}\n".encode())
    os.close(report)
    watch(server, facts)


def start(facts: dict[str, str], command: list[str]) -> int:
    """Take the locks of this folder, start the server, and return its process id when ready."""
    home = facts["home"]
    lock_exclusively(open_lock(home, SUPERVISOR), OLD_SERVER_SECONDS)
    server_lock = open_lock(home, SERVER)
    lock_exclusively(server_lock, OLD_SERVER_SECONDS)
    clear_after_killed(home)
    server = spawn(facts, command, server_lock)
    try:
        wait_until_ready(server, os.path.join(facts["data"], "postmaster.pid"))
    except SupervisorError:
        stop(server, signal.SIGQUIT)
        raise
    lines = (str(server), str(os.getpid()), facts["socket"], facts["version"])
    write_state(home, "\n".join(lines))
    return server


def watch(server: int, facts: dict[str, str]) -> None:
    """Wait for the server's end; a thread stops it when the last user has ended."""
    how = signal.Signals(int(facts["stop"]))
    _thread.start_new_thread(stop_when_told, (server, how))
    users = open_lock(facts["home"], USERS)
    _thread.start_new_thread(stop_when_free, (users, server, how))
    if facts["home"] == facts["remove"]:
        sweep(facts["home"])
    os.waitpid(server, 0)
    forget_state(facts["home"])


def stop_when_free(
    users: int, server: int, how: signal.Signals
) -> None:  # pragma: no cover - bare thread
    """Wait for the exclusive lock, then stop the server with ever stronger signals."""
    fcntl.flock(users, fcntl.LOCK_EX)
    for number in (how, signal.SIGQUIT, signal.SIGKILL):
        os.kill(server, number)
        time.sleep(SIGNAL_SECONDS[number])


def stop_when_told(server: int, how: signal.Signals) -> None:  # pragma: no cover - bare thread
    """Wait for SIGTERM, which is blocked in every thread so that this one receives it."""
    signal.sigwait({signal.SIGTERM})
    os.kill(server, how)


def stop(server: int, how: signal.Signals) -> None:
    """Stop a server that is not ready, and collect its exit status."""
    try:
        os.kill(server, how)
        os.waitpid(server, 0)
    except (ProcessLookupError, ChildProcessError):
        pass  # it has ended by itself


def spawn(facts: dict[str, str], command: list[str], server_lock: int) -> int:
    """Start the server's first process, which ends with this one."""
    supervisor, calls = os.getpid(), system_calls()
    server = os.fork()
    if server:
        return server
    try:  # pragma: no cover - the server's process from here on
        os.set_inheritable(server_lock, True)  # noqa: FBT003 - positional only
        change_account(facts["identity"])
        end_with_supervisor(supervisor, int(facts["stop"]), calls)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.execve(command[0], command, environment(facts))  # noqa: S606
    except BaseException as error:  # noqa: BLE001  # pragma: no cover
        os.write(2, f"{command[0]}: {error}\n".encode())
    finally:  # pragma: no cover
        os._exit(127)


def change_account(identity: str) -> None:  # pragma: no cover - before exec
    """
    Change to the account that the server runs as.

    Args:
        identity: `self`, `account:UID:GID`, or `namespace:UID:GID` with the ids of this process
            inside a user namespace of its own.

    Raises:
        OSError: the kernel refuses.
    """
    kind, _, ids = identity.partition(":")
    if kind == "self":
        return
    uid, gid = (int(part) for part in ids.split(":"))
    if kind == "account":
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        return
    outside = os.geteuid(), os.getegid()
    import ctypes

    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, "could not create a user namespace: " + os.strerror(number))
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"{uid} {outside[0]} 1")
    write("/proc/self/gid_map", f"{gid} {outside[1]} 1")


def system_calls() -> object:
    """
    Load the C library, for system calls that Python does not have.

    Call it before the account is changed: the new one may not be able to read the files of this
    interpreter.
    """
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def end_with_supervisor(
    supervisor: int, number: int, calls: object
) -> None:  # pragma: no cover - before exec
    """Request this signal for the death of the supervisor (Linux only)."""
    if sys.platform == "linux":
        calls.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)  # type: ignore[attr-defined]
        if os.getppid() != supervisor:
            os._exit(127)


def environment(facts: dict[str, str]) -> dict[str, str]:
    """Return the environment of the server's programs, which has nothing of the user's."""
    made = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    if facts.get("library"):
        made["LD_LIBRARY_PATH"] = facts["library"]
    return made


def wait_until_ready(server: int, pid_file: str) -> None:
    """
    Wait for `ready` in line 8 of the server's pid file.

    Raises:
        SupervisorError: the server ended, or took longer than READY_SECONDS.
    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(server, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            raise SupervisorError(f"the server ended with code {code} before it was ready")
        if is_ready(read_lines(pid_file), server):
            return
        time.sleep(0.002)
    raise SupervisorError(f"the server was not ready after {READY_SECONDS:.0f} s")


def is_ready(lines: list[str], server: int) -> bool:
    """Report whether a pid file is of this server and says that it accepts connections."""
    whole = len(lines) > READY_LINE
    return whole and lines[0] == str(server) and lines[READY_LINE].strip() == "ready"


def open_lock(folder: str, name: str) -> int:
    """Open a lock file; the descriptor is not inherited by programs started later."""
    return os.open(os.path.join(folder, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def lock_exclusively(descriptor: int, seconds: float) -> None:
    """
    Take an exclusive lock; wait for the end of an older server of this folder.

    Raises:
        SupervisorError: it was still held after the timeout.
    """
    deadline = time.monotonic() + seconds
    while not try_lock(descriptor):
        if time.monotonic() > deadline:
            raise SupervisorError(f"an older server is still running after {seconds:.0f} s")
        time.sleep(0.01)


def try_lock(descriptor: int) -> bool:
    """Try to take an exclusive lock, and report whether it was taken."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EACCES}:
            return False
        raise
    return True


def close_pipes() -> None:
    """Close the caller's pipes, so that the caller does not wait for this process."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)


def write_state(home: str, text: str) -> None:
    """Write the state atomically, so that no reader sees a part of it."""
    path = os.path.join(home, STATE)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with open(os.open(path + ".new", flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def clear_after_killed(home: str) -> None:
    """Remove the socket's folder of an earlier server whose supervisor was killed."""
    left = read_lines(os.path.join(home, STATE))
    if len(left) == STATE_LINES:
        folder = os.path.dirname(left[2])
        if os.path.basename(folder).startswith(PREFIX):
            remove(folder)
        forget_state(home)


def forget_state(home: str) -> None:
    """Remove the state file."""
    try:
        os.unlink(os.path.join(home, STATE))
    except FileNotFoundError:
        pass  # the folder was removed meanwhile


def read_lines(path: str) -> list[str]:
    """Return the lines of a small file; none where it does not exist."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def write(path: str, text: str) -> None:
    """Write a file in one call, as files of the kernel require."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def sweep(home: str) -> None:
    """Remove the folders that killed supervisors left in the same place."""
    parent, own = os.path.split(home)
    for name in os.listdir(parent):
        if name.startswith(PREFIX) and name != own:
            try:
                remove_if_dead(os.path.join(parent, name))
            except OSError:
                continue  # it was removed meanwhile, or cannot be read


def remove_if_dead(folder: str) -> None:
    """Remove an ephemeral folder of this user whose users and server have all ended."""
    facts = os.lstat(folder)
    old = time.time() - facts.st_mtime > SWEEP_AFTER_SECONDS
    if not (stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() and old):
        return
    descriptors = []
    try:
        for name in (USERS, SERVER):
            path = os.path.join(folder, name)
            descriptors.append(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        if all(try_lock(descriptor) for descriptor in descriptors):
            remove(folder)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def remove(folder: str) -> None:
    """Delete a folder with its content; ignore what is deleted already."""
    for directory, folders, files in os.walk(folder, topdown=False):
        for name in files:
            drop(os.path.join(directory, name))
        for name in folders:
            drop(os.path.join(directory, name))
    drop(folder)


def drop(path: str) -> None:
    """Delete a file, a link or an empty folder; ignore it if it is deleted already."""
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)
    except OSError:
        pass
