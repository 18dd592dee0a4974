"""
Make the roles of the embedded server for scratch databases, as SQL. Pure.

Statements on roles must have the same result as on the target's server. So its roles exist under
their names, without login or any other right, and files run as the role of the same name, with
the same memberships. That role is never a superuser. The server's first superuser is renamed,
because files may run as `postgres`.
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
"""Since this version CREATEROLE cannot grant itself roles that it did not create."""
_REACHING = (
    "UPDATE pg_catalog.pg_authid SET rolsuper = true WHERE rolname IN "
    "('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')"
)
"""Makes these roles superusers, because only a superuser can grant a superuser."""
HARMLESS = frozenset({
    *("amcheck", "autoinc", "bloom", "dict_xsyn", "earthdistance", "insert_username", "intagg"),
    *("moddatetime", "pageinspect", "pg_buffercache", "pg_freespacemap", "pg_prewarm"),
    *("pg_stat_statements", "pg_visibility", "pgrowlocks", "pgstattuple", "postgis"),
    *("postgis_raster", "postgis_topology", "refint", "vector"),
})  # fmt: skip
"""
Extensions that need a superuser, and that reach neither files, programs nor other servers.

Other extensions that need a superuser (dblink, postgres_fdw, file_fdw, adminpack, plpython3u and
all unlisted ones) do not exist on scratch. Those that any owner of a database may create are
created by the files.
"""


_IF_TRUSTED = """DO $rung$ BEGIN
IF EXISTS (SELECT FROM pg_available_extension_versions WHERE name = '{name}' AND trusted) THEN
    {created};
END IF; END $rung$"""
"""An owner of a database may create these; somebody has, if the files do not."""


def quoted(name: str) -> str:
    """Return a name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def administrator(name: str, password: str) -> str:
    """Return the statement that creates the superuser who sets up the server."""
    return f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{password}'"


def hba_rules(administrator: str) -> tuple[str, ...]:
    """
    Return the lines of pg_hba.conf: superusers need a password, which files do not know.

    Otherwise an extension that connects to its own server could connect as any role.
    """
    return (
        f"local all {administrator} scram-sha-256",
        f"local all {_FIRST} reject",
        "local all all trust",
    )


def server_statements(context: ServerContext, major: int, first: str) -> Iterator[str]:
    """
    Yield what prepares the server once; a superuser other than the first runs it.

    Args:
        context: facts about the target's server.
        major: the major version of the embedded server.
        first: the name of the first superuser.
    """
    yield f"ALTER ROLE {quoted(first)} RENAME TO {_FIRST}"
    if major < _NO_SELF_SERVICE and not context.trusts_files:
        yield _REACHING


def role_statements(context: ServerContext) -> Iterator[str]:
    """Yield the statements that create the roles of the target's server."""
    for role in (*context.roles, *context.absent_roles):
        if role != context.user:
            yield f"CREATE ROLE {quoted(role)}"
    rights = " CREATEROLE" if context.makes_roles else ""
    rights = " SUPERUSER" if context.trusts_files else rights
    yield f"CREATE ROLE {quoted(context.user)} LOGIN{rights}"
    if context.memberships or context.absent_roles:
        groups = ", ".join(map(quoted, (*context.memberships, *context.absent_roles)))
        yield f"GRANT {groups} TO {quoted(context.user)}"


def database_statements(context: ServerContext, major: int) -> Iterator[str]:
    """Yield what a superuser runs in each empty database before the files."""
    if major < _OWN_PUBLIC:
        yield f"ALTER SCHEMA public OWNER TO {quoted(context.user)}"
    if context.absent_roles:  # who is to own a table must be able to create in its schema
        absent = ", ".join(map(quoted, context.absent_roles))
        yield f"GRANT CREATE ON SCHEMA public TO {absent}"
    for name, schema in context.extensions:
        if schema not in {"public", "pg_catalog"}:
            continue
        created = f"CREATE EXTENSION IF NOT EXISTS {quoted(name)} CASCADE"
        yield (
            created
            if name in HARMLESS
            else _IF_TRUSTED.format(name=name.replace("'", "''"), created=created)
        )
