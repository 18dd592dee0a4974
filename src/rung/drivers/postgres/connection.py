"""
From what a user calls a database to an open connection.

Owns the translation of URLs and keyword strings into libpq's parameters, and what every
connection of ours gets: UTF-8, keepalives, and a server that notices a dead client. Never
passes on the driver's own text about a connection string: libpq quotes pieces of it.
"""

from __future__ import annotations

from urllib.parse import unquote

import psycopg
from psycopg import conninfo, pq

from rung._version import __version__
from rung.errors import ConnectionFailed, UsageError

_SCHEMES = ("postgresql://", "postgres://", "pgx5://", "pgx://")
_ALIVE = "-c client_connection_check_interval=5s"
_REFUSED = ("client_connection_check_interval", "unsupported startup parameter")
"""Servers without that setting, and poolers that pass no options on, are connected without."""

_DEFAULTS = {
    "client_encoding": "UTF8",
    "connect_timeout": "10",
    "keepalives": "1",
    "keepalives_idle": "20",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "60000",
    "fallback_application_name": f"rung {__version__}",
}


def parameters(database: str) -> dict[str, str]:
    """
    The libpq parameters of a URL or a keyword string.

    Query keys that libpq does not know are run-time parameters of the session, as in
    golang-migrate's URLs.

    Raises:
        UsageError: the text cannot be read, or asks for what is not supported.
    """
    scheme = next((scheme for scheme in _SCHEMES if database.startswith(scheme)), None)
    if scheme is None:
        found = _parse(database)
    else:
        address, _, query = database.removeprefix(scheme).partition("?")
        _check_characters(address, query)
        found = _parse(f"postgresql://{address}") | _query(query)
    return _with_defaults(found)


def _check_characters(address: str, query: str) -> None:
    """Refuse an @ where a password was cut by a / or ? of its own, and would be shown."""
    authority, _, path = address.partition("/")
    cut = ":" in authority and "@" not in authority and "@" in query
    if cut or "@" in path:
        raise _unreadable()


def _parse(text: str) -> dict[str, str]:
    try:
        return {key: str(value) for key, value in conninfo.conninfo_to_dict(text).items()}
    except psycopg.ProgrammingError:
        raise _unreadable() from None


def _unreadable() -> UsageError:
    return UsageError(
        "The database's URL or connection string cannot be read.",
        "Write postgresql://USER:PASSWORD@HOST:PORT/NAME, with reserved characters in the "
        "password percent-encoded (@ is %40, : is %3A, / is %2F, ? is %3F, % is %25).",
    )


def _query(query: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in query.split("&") if part]
    given = {unquote(key): unquote(value) for key, _, value in pairs}
    if table := next((key for key in given if key.startswith("x-migrations-table")), None):
        raise UsageError(
            f"{table} is not supported: the ledger is schema_migrations in the current schema.",
            "Choose the schema with search_path.",
        )
    if given.get("ssl") == "true":  # libpq's own synonym, of URLs only
        given = {key: value for key, value in given.items() if key != "ssl"}
        given.setdefault("sslmode", "require")
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    ours = {key: value for key, value in given.items() if not key.startswith("x-")}
    settings = {key: value for key, value in ours.items() if key not in known}
    found = {key: value for key, value in ours.items() if key in known}
    options = [found["options"]] if "options" in found else []
    options += [f"-c {_escape(key)}={_escape(value)}" for key, value in settings.items()]
    return found | ({"options": " ".join(options)} if options else {})


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _with_defaults(found: dict[str, str]) -> dict[str, str]:
    together = _DEFAULTS | found
    together["client_encoding"] = _DEFAULTS["client_encoding"]
    together["options"] = " ".join(part for part in (found.get("options"), _ALIVE) if part)
    return together


def open_connection(wanted: dict[str, str]) -> psycopg.Connection[tuple[object, ...]]:
    """
    Connect, in autocommit.

    Raises:
        ConnectionFailed: with the server's or the library's reason.
    """
    try:
        return psycopg.Connection.connect(autocommit=True, **wanted)  # type: ignore[arg-type]
    except psycopg.Error as error:
        if _ALIVE in wanted["options"] and any(word in str(error) for word in _REFUSED):
            options = wanted["options"].replace(_ALIVE, "").strip()
            return open_connection(wanted | {"options": options})
        raise ConnectionFailed(
            f"No connection to {shown(wanted)}: {_reason(error, wanted)}",
            "Check that the server runs and that host, port, user and database are right.",
        ) from None


def _reason(error: psycopg.Error, wanted: dict[str, str]) -> str:
    text = str(error).strip()
    secrets = (wanted.get("password"), wanted.get("sslpassword"))
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text


def shown(wanted: dict[str, str]) -> str:
    """The database as people may see it: user, host, port and name, no secrets."""
    user = f"{wanted['user']}@" if "user" in wanted else ""
    host = wanted.get("host") or wanted.get("hostaddr") or "local socket"
    port = f":{wanted['port']}" if "port" in wanted else ""
    return f"{user}{host}{port}/{wanted.get('dbname', '')}"
