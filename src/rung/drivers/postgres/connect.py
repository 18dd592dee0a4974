"""
From an address to an open connection; and what every connection of ours gets.

That is UTF-8, keepalives, a server that notices a dead client, and none that ends a session in
a pause, each only where neither the address nor libpq's environment nor a service says otherwise.
Passes a reason on only with its secrets taken out.
"""

from __future__ import annotations

import math
import os
import re
import time
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg import conninfo, pq

from rung._version import __version__
from rung.cancellation import CancelToken
from rung.drivers.inspection import Disconnected, Ping
from rung.drivers.postgres import quoting
from rung.drivers.postgres.quoting import Sql
from rung.drivers.postgres.wire import Wire
from rung.errors import ConnectionFailed, UsageError
from rung.redaction import SECRET_KEYS, redacted_names, redacted_text, redacted_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.drivers.postgres.url import PostgresUrl
    from rung.drivers.postgres.wire import Reply


_LISTS = ("search_path", "temp_tablespaces")
"""Where SET takes one literal for one name, and not a list in a text."""

_WHERE = ("search_path", "role")
_RIGHTS_AND_TIME = ("role", "session_authorization", "statement_timeout", "lock_timeout")
_AS_AT_CONNECT = (
    Sql("SET LOCAL SESSION AUTHORIZATION DEFAULT"),
    Sql('SET LOCAL "role" TO DEFAULT'),
    Sql("SET LOCAL search_path TO DEFAULT"),
    Sql("SET LOCAL statement_timeout TO DEFAULT"),
    Sql("SET LOCAL lock_timeout TO DEFAULT"),
)
_NAMES = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"]*))\s*(?:,|\Z)')


class SessionSettings(NamedTuple):
    """Settings by name, in order."""

    items: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """What is set."""
        return frozenset(name.lower() for name, _ in self.items)

    @property
    def where(self) -> SessionSettings:
        """Those without which the wrong tables would be read."""
        return SessionSettings(tuple(item for item in self.items if item[0].lower() in _WHERE))

    @property
    def for_session(self) -> tuple[Sql, ...]:
        """After connecting, and behind every reset. Takes no snapshot."""
        return tuple(_set("SET", name, value) for name, value in self.items)

    @property
    def for_message(self) -> tuple[Sql, ...]:
        """In front of a message, for that message alone."""
        return tuple(_set("SET LOCAL", name, value) for name, value in self.items)

    @property
    def for_shared(self) -> tuple[Sql, ...]:
        """The same behind a pooler, where another client may have left the session changed."""
        return (*_AS_AT_CONNECT, *self.for_message)

    @property
    def rights_and_time(self) -> tuple[Sql, ...]:
        """Follows what restores our rights and our timeouts inside a transaction."""
        kept = (item for item in self.items if item[0].lower() in _RIGHTS_AND_TIME)
        return tuple(_set("SET LOCAL", name, value) for name, value in kept)


def _set(verb: str, name: str, value: str) -> Sql:
    values = _names(value) if name.lower() in _LISTS else [value]
    texts = ", ".join(quoting.text(value) for value in values)
    return Sql(f"{verb} {quoting.name(*name.split('.'))} = {texts}")


def _names(value: str) -> list[str]:
    """The names of a list as the server reads them: folded where they are not quoted."""
    found = [
        plain.strip().lower() if plain or not quoted else quoted.replace('""', '"')
        for quoted, plain in _NAMES.findall(value)
    ]
    return [name for name in found if name] or [""]


_ALIVE = (
    "-c client_connection_check_interval=5s "
    "-c idle_session_timeout=0 -c idle_in_transaction_session_timeout=0"
)
"""All that servers since 14 know; a role's limits for idle sessions would end a run in a pause."""
_REFUSED = (
    "client_connection_check_interval",
    "idle_session_timeout",
    "startup parameter",
    "command-line options",
)
"""Servers without these settings, and poolers that take no options, are connected without."""

_DEFAULTS = {
    "connect_timeout": "10",
    "keepalives": "1",
    "keepalives_idle": "20",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "60000",
}
_FROM_SERVICE = ("host", "hostaddr", "port")
"""psycopg tries several hosts one by one only where it is told of them itself."""

_ALWAYS = {"client_encoding": "UTF8", "fallback_application_name": f"rung {__version__}"}
_PING_SECONDS = 2
_LEAST_SECONDS = 2
_OPTION = re.compile(r"\s*(?:-c\s*|--)((?:[^\s\\]|\\.)+)")

_PINGS = {
    pq.Ping.OK: Ping.ANSWERS,
    pq.Ping.REJECT: Ping.NOT_YET,
    pq.Ping.NO_RESPONSE: Ping.NOT_YET,
    pq.Ping.NO_ATTEMPT: Ping.HOPELESS,
}


class OpenConnection(NamedTuple):
    """A connection, in autocommit, and the settings that its session should have."""

    connection: psycopg.Connection[tuple[object, ...]]
    settings: SessionSettings
    taken: bool
    """Whether it was opened with them; a pooler may have passed them over in silence."""


class _ConnectAttempt(NamedTuple):
    """One way to try: the options to ask for, and whether all our settings are in them."""

    options: str
    taken: bool = True


class Connector:
    """
    Opens connections to one database.

    Args:
        address: the translated URL or keyword string.
        role: to be taken on in every session.
        password: asked before each connection.

    Raises:
        UsageError: host or name of the database hold what can only be part of a URL.
    """

    def __init__(
        self,
        address: PostgresUrl,
        role: str | None = None,
        password: Callable[[], str] | None = None,
    ) -> None:
        resolved = _resolve(address.parameters)
        self._found = resolved.values
        self._given = address.parameters
        _check_no_url(self._found)
        settings = address.settings | ({"role": role} if role else {})
        filled = {key: self._found.get(key) or value for key, value in _DEFAULTS.items()}
        hosts = {key: self._found[key] for key in _FROM_SERVICE if self._found.get(key)}
        self._wanted = filled | hosts | address.parameters | _ALWAYS
        options = self._found.get("options", "")
        understood = _read_options(options)
        self._settings = SessionSettings(tuple(((understood or {}) | settings).items()))
        self._ways = tuple(_ways(options, settings, all_known=understood is not None))
        self._secrets = {self._found.get(key) for key in SECRET_KEYS} | {resolved.password}
        self._names = [self._found.get(key, "") for key in ("user", "host", "dbname", "service")]
        self._names.append(os.environ.get("PGSERVICE", ""))
        self._password = password

    @property
    def shown(self) -> str:
        """The database as people may see it: user, host, port and name, no secrets."""
        found = self._found
        host = found.get("host") or found.get("hostaddr") or "local socket"
        port = found.get("port", "")
        compiled = next(o.compiled for o in pq.Conninfo.get_defaults() if o.keyword == b"port")
        known = port and (port != (compiled or b"").decode() or "port" in self._given)
        place = f"{host}:{port}" if known else host
        if known and "," in host:
            hosts, ports = host.split(","), port.split(",")
            ports = ports * len(hosts) if len(ports) == 1 else ports
            pairs = zip(hosts, ports, strict=False)
            place = ",".join(f"{host}:{port}" if port else host for host, port in pairs)
        user, name = (redacted_names(found.get(key, "")) for key in ("user", "dbname"))
        return f"{user}@{redacted_word(place)}/{name}".lstrip("@")

    def open(self, within: float | None = None) -> OpenConnection:
        """
        Connect, in autocommit.

        Args:
            within: seconds for each host, no fewer than the two that libpq needs; None for
                what the address or libpq says.

        Raises:
            ConnectionFailed: with the server's or the library's reason, masked.
        """
        said = ""
        for way in self._ways:
            opened, said = self._try(way, within)
            if opened is not None:
                return opened
            if not any(word in said for word in _REFUSED):
                break
        raise ConnectionFailed(f"could not connect to {self.shown}: {said}", self._advice, said)

    def ping(self) -> Ping:
        """Whether the server takes connections, by libpq's own judgement."""
        # libpq waits inside C, where no signal is heard, so it does not wait for long.
        seconds = min(_seconds(self._wanted["connect_timeout"]) or _PING_SECONDS, _PING_SECONDS)
        wanted = self._wanted | {"connect_timeout": str(seconds)}
        text = conninfo.make_conninfo("", **wanted)
        return _PINGS[pq.Ping(pq.PGconn.ping(text.encode()))]

    @property
    def _advice(self) -> str:
        right = (
            "check that the server runs and that host, port, user, password and database are "
            "right; to wait for a server that is starting: `rung wait`"
        )
        if not self._settings.items:
            return right
        names = ", ".join(name for name, _ in self._settings.items)
        return (
            f"{right}; parameters set for the session, because libpq does not recognize them: "
            f"{names}"
        )

    def _try(self, way: _ConnectAttempt, within: float | None) -> tuple[OpenConnection | None, str]:
        """A connection, or why there is none."""
        token = {"password": self._password()} if self._password else {}
        wanted: dict[str, str] = self._wanted | {"options": way.options} | token
        if within is not None:
            usual = _seconds(wanted["connect_timeout"]) or math.inf
            wanted["connect_timeout"] = str(max(_LEAST_SECONDS, math.ceil(min(within, usual))))
        try:
            opened = psycopg.Connection.connect(autocommit=True, **wanted)  # type: ignore[arg-type]
        except (psycopg.Error, ValueError) as error:
            said = str(error).strip()
            for name in self._names:
                bare = (
                    redacted_word(name) if name == self._found.get("host") else redacted_names(name)
                )
                if bare != name:
                    said = said.replace(repr(name), repr(bare)).replace(name, bare)
            return None, redacted_text(said, {*self._secrets, *token.values()}, self._names)
        return OpenConnection(opened, self._settings, way.taken), ""


def _ways(options: str, settings: dict[str, str], *, all_known: bool) -> Iterator[_ConnectAttempt]:
    """From all in the options that the connection is opened with to nothing in them."""
    ours = [f"-c {_escape(name)}={_escape(value)}" for name, value in settings.items()]
    together = " ".join(part for part in (options.strip(), *ours) if part)
    yield _ConnectAttempt(f"{_ALIVE} {together}".strip())
    if together:
        yield _ConnectAttempt(together)
    if all_known:
        yield _ConnectAttempt("", taken=not together)


def _escape(value: str) -> str:
    return re.sub(r"([\\\s])", r"\\\1", value)


def _read_options(options: str) -> dict[str, str] | None:
    """The settings in a text of options; None where there is more in it than settings."""
    found = {}
    at = 0
    options = options.strip()
    while at < len(options):
        option = _OPTION.match(options, at)
        name, equals, value = option[1].partition("=") if option else ("", "", "")
        if option is None or not equals:
            return None
        found[name.replace("-", "_")] = re.sub(r"\\(.)", r"\1", value)
        at = option.end()
    return found


class _Resolved(NamedTuple):
    """What libpq makes of our parameters, with its environment, service and password files."""

    values: dict[str, str]
    password: str


def _resolve(given: dict[str, str]) -> _Resolved:
    """
    Ask libpq what it would connect with.

    A TLS mode that does not exist has it stop when all is known, before it opens a socket.
    """
    text = conninfo.make_conninfo("", **{**given, "sslmode": "!"})
    asked = pq.PGconn.connect_start(text.encode())
    values = {
        option.keyword.decode(): option.val.decode(errors="replace")
        for option in asked.info
        if option.val
    }
    return _Resolved({**given, **values}, (asked.password or b"").decode(errors="replace"))


def _check_no_url(found: dict[str, str]) -> None:
    """
    Refuse what libpq would show as a host or a name, with the password in it.

    An @ at the beginning of a host is an abstract socket's.
    """
    hosts = found.get("host", "").split(",")
    fault = "host" if any("@" in host[1:] for host in hosts) else ""
    fault = fault or next((key for key in ("host", "dbname") if "://" in found.get(key, "")), "")
    if fault:
        raise UsageError(
            f"the {fault} given to libpq contains a part of a URL; it is not shown, because it "
            "may hold a password",
            "check the connection string, the service and the PG* variables; a whole URL "
            "belongs into --database, RUNG_DATABASE or DATABASE_URL",
        )


def _seconds(text: str) -> int:
    try:
        return int(float(text))
    except ValueError:
        return 0


_ANSWER_WITHIN = 1.0
_TRY_AGAIN_AFTER = 5.0


class SideConnection:
    """
    The second connection to one database.

    Args:
        connector: opens it; it gets the same role and settings as the first.
    """

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._opened: OpenConnection | None = None
        self._wire: Wire | None = None
        self._failed = -_TRY_AGAIN_AFTER

    def ask(self, sql: Sql) -> Reply | None:
        """Ask; None where there is no second connection, or it does not answer."""
        try:
            return self._current().ask(sql, within=_ANSWER_WITHIN)
        except Exception:  # noqa: BLE001 - a password function is the user's, and may raise anything
            self._failed = time.monotonic()
            self.close()
            return None

    def close(self) -> None:
        """Close it, where it was opened."""
        opened, self._opened, self._wire = self._opened, None, None
        if opened is not None:
            opened.connection.close()

    def _current(self) -> Wire:
        if self._wire is None:
            if time.monotonic() - self._failed < _TRY_AGAIN_AFTER:
                raise Disconnected("not tried again yet")
            self._opened = self._connector.open(_ANSWER_WITHIN)
            before = () if self._opened.taken else self._opened.settings.for_message
            self._wire = Wire(self._opened.connection, CancelToken(), before)
        return self._wire
