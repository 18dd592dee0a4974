"""
The roles of the embedded server that scratch databases are on, as SQL. Pure.

The server is ours alone, and what files say of roles has to come out as on the other server: its
roles are there under their names, without the right to log in or any other, and files run as
the role of the same name, which belongs to those that it belongs to there. It is no superuser,
whatever it is there. The first superuser gives its name away, for files may run as `postgres`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.drivers.inspection import ServerContext

_FIRST = "rung_scratch_first"
_OWN_PUBLIC = 15
"""Since this version the owner of a database owns its schema public."""
_NO_SELF_SERVICE = 16
"""Since this version CREATEROLE cannot give itself roles that it has not made."""
_REACHING = (
    "UPDATE pg_catalog.pg_authid SET rolsuper = true WHERE rolname IN "
    "('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')"
)
"""Nobody but a superuser grants a superuser."""
HARMLESS = frozenset({
    *("amcheck", "autoinc", "bloom", "dict_xsyn", "earthdistance", "insert_username", "intagg"),
    *("moddatetime", "pageinspect", "pg_buffercache", "pg_freespacemap", "pg_prewarm"),
    *("pg_stat_statements", "pg_visibility", "pgrowlocks", "pgstattuple", "postgis"),
    *("postgis_raster", "postgis_topology", "refint", "vector"),
})  # fmt: skip
"""
Extensions that only a superuser makes, and that reach neither files, programs nor other servers.

The others that only a superuser makes (dblink, postgres_fdw, file_fdw, adminpack, plpython3u
and their like, and those that we do not know) are not on scratch; what any owner of a database
may make, the files make.
"""


def quoted(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def administrator(name: str, password: str) -> str:
    """The statement that makes the superuser by whom the server is set up."""
    return f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{password}'"


def let_in(administrator: str) -> tuple[str, ...]:
    """
    Who may connect: superusers with their password alone, which files do not know.

    An extension that connects to its own server would come as whom it likes otherwise.
    """
    return (
        f"local all {administrator} scram-sha-256",
        f"local all {_FIRST} reject",
        "local all all trust",
    )


def role_statements(around: ServerContext, major: int, first: str) -> Iterator[str]:
    """
    The roles, as a superuser makes them who is not the first one.

    Args:
        around: the other server.
        major: the version of ours.
        first: the name of the first superuser.
    """
    yield f"ALTER ROLE {quoted(first)} RENAME TO {_FIRST}"
    if major < _NO_SELF_SERVICE:
        yield _REACHING
    for role in around.roles:
        if role != around.user:
            yield f"CREATE ROLE {quoted(role)}"
    makes = " CREATEROLE" if around.makes_roles else ""
    yield f"CREATE ROLE {quoted(around.user)} LOGIN{makes}"
    if around.memberships:
        groups = ", ".join(quoted(role) for role in around.memberships)
        yield f"GRANT {groups} TO {quoted(around.user)}"


def database_statements(around: ServerContext, major: int) -> Iterator[str]:
    """What a superuser does in each empty database for the files, on a server of a version."""
    if major < _OWN_PUBLIC:
        yield f"ALTER SCHEMA public OWNER TO {quoted(around.user)}"
    for name, schema in around.extensions:
        if name in HARMLESS and schema in {"public", "pg_catalog"}:
            yield f"CREATE EXTENSION IF NOT EXISTS {quoted(name)} CASCADE"
