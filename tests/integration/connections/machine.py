"""A PostgreSQL that a test starts, stops and spoils as it likes; its data stay between starts."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from rung.embedded import find
from rung.embedded.run_as import choose
from rung.errors import BinariesNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.embedded.binaries import Binaries

_LONGEST = 30.0
PORT = 54329
"""Only a name of the socket, where nothing listens on TCP."""
_HBA = (
    "local all ada scram-sha-256\nlocal all,replication all trust\n"
    "host all all 127.0.0.1/32 scram-sha-256\n"
)

_templates: dict[Path, Path] = {}


@dataclass(slots=True)
class Machine:
    """The data folder of a server, and the server while it runs."""

    binaries: Binaries
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None)
    port: int = PORT

    @property
    def conninfo(self) -> str:
        return f"host={self.folder} port={self.port} user=postgres dbname=postgres"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def make(self) -> None:
        """Make the data folder: initdb's the first time in this process, then a copy of that."""
        template = _templates.get(self.binaries.bin_dir)
        if template is None:
            template = Path(tempfile.mkdtemp(prefix="rung-template-", dir="/tmp"))
            atexit.register(shutil.rmtree, template, ignore_errors=True)
            template.chmod(0o777)
            _templates[self.binaries.bin_dir] = template
            made = Machine(self.binaries, template)
            initdb = ("initdb", "-D", made.data, "-U", "postgres", "-A", "trust", "-N")
            made._run(*initdb).check_returncode()
        copy = ["cp", "-a", str(template / "data"), str(self.folder)]
        subprocess.run(copy, check=True, **self._as())
        (self.data / "pg_hba.conf").write_text(_HBA)

    def copy_of(self, primary: Machine) -> None:
        """Make the data folder that of a standby of another server, which runs."""
        place = ("-h", primary.folder, "-p", PORT, "-U", "postgres")
        copied = self._run("pg_basebackup", "-D", self.data, "-R", "-c", "fast", "-N", *place)
        copied.check_returncode()

    def start(self, **settings: str) -> None:
        """Start the server, and wait for nothing."""
        chosen = {
            "unix_socket_directories": str(self.folder),
            "port": str(self.port),
            "fsync": "off",
        }
        chosen |= {"listen_addresses": "", **settings}
        words = [f"-c{name}={value}" for name, value in chosen.items()]
        with (self.folder / "log").open("ab") as log:
            program = self.binaries.bin_dir / "postgres"
            self.process = subprocess.Popen(
                [program, "-D", self.data, *words], stdout=log, stderr=log, **self._as()
            )

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(_LONGEST)
            self.process = None

    def answers(self) -> bool:
        """Whether a connection can be made."""
        try:
            psycopg.connect(self.conninfo).close()
        except psycopg.OperationalError:
            return False
        return True

    def await_answer(self) -> None:
        deadline = time.monotonic() + _LONGEST
        while not self.answers():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def ask(self, sql: str) -> None:
        """Run SQL that gives nothing back."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(sql.encode())

    def _run(self, program: str, *words: object) -> subprocess.CompletedProcess[bytes]:
        command = [str(self.binaries.bin_dir / program), *map(str, words)]
        account = self._as()
        return subprocess.run(command, stdout=subprocess.PIPE, check=False, **account)

    def _as(self) -> dict[str, Any]:
        """PostgreSQL refuses root."""
        libraries = self.binaries.library_dir
        environ = {**os.environ, **({"LD_LIBRARY_PATH": str(libraries)} if libraries else {})}
        identity = choose()
        if identity.kind == "self":
            return {"env": environ}
        if identity.kind == "namespace":
            pytest.skip(f"no account for a server: {identity.reason}")
        account = {"user": identity.uid, "group": identity.gid, "extra_groups": []}
        return {"env": environ, "cwd": "/", **account}


@pytest.fixture(scope="module")
def made() -> Iterator[Machine]:
    """Keep one data folder for a module's tests."""
    with made_machine() as machine:
        yield machine


@contextmanager
def made_machine() -> Iterator[Machine]:
    """Make a data folder for a block; without PostgreSQL the test is skipped, or fails."""
    wanted = os.environ.get("RUNG_TEST_PG_MAJOR")
    try:
        binaries = find(int(wanted) if wanted else None, reader=choose().reader)
    except BinariesNotFound as error:
        if os.environ.get("RUNG_TEST_REQUIRE_SERVER") == "1":
            raise
        pytest.skip(str(error))
    folder = Path(tempfile.mkdtemp(prefix="rung-machine-", dir="/tmp"))
    folder.chmod(0o777)
    machine = Machine(binaries, folder)
    machine.make()
    yield machine
    shutil.rmtree(folder)


@pytest.fixture
def machine(made: Machine) -> Iterator[Machine]:
    """Give the machine, stopped; stop it at the end."""
    yield made
    made.stop()
    (made.data / "standby.signal").unlink(missing_ok=True)
