"""
What scratch databases have to resemble: the target's role, settings and extensions.

Where no target is named, the files run as the owner of a database. Roles and extensions that files
use and nobody creates are made on a server of our own, and named in a note: somebody made them by
hand on the target.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rung.drivers import open_driver
from rung.drivers.inspection import ServerContext
from rung.repair.cluster_wide import creates_extension
from rung.script import Dialect, read
from rung.verify.named_roles import roles_not_created
from rung.verify.used_extensions import extensions_not_created

if TYPE_CHECKING:
    from rung.database import Database
    from rung.drivers.contract import Driver
    from rung.source import MigrationSet

_UNKNOWN = ServerContext("rung_owner", makes_roles=True)
"""The owner of a database who may create roles, where the target is not known."""
_MOST_ROLES = 10
"""Roles that a note lists."""


@dataclass(frozen=True, slots=True)
class VerifyTarget:
    """
    The facts about the database that migrations are verified for.

    Args:
        driver: of it; never connected to again.
        context: facts about its server; None for SQLite, which has none.
        dialect: how it reads SQL.
        rights: whose rights the files have on a scratch server of our own, in words.
        notes: what differs on scratch, in clauses.
    """

    driver: Driver
    context: ServerContext | None
    dialect: Dialect
    rights: str = ""
    notes: tuple[str, ...] = ()


def read_target(
    database: Database,
    migrations: MigrationSet,
    *,
    is_known: bool,
    own_server: bool,
    trusts_files: bool,
) -> VerifyTarget:
    """
    Read the facts about a target's server.

    Args:
        database: the target, or only the names of its ledger and history.
        migrations: the whole source.
        is_known: whether there is a target, which is read then.
        own_server: whether the scratch server is one of our own, on which roles may be made.
        trusts_files: whether the files run as a superuser there.

    Raises:
        UsageError: the URL cannot be read.
        ConnectionFailed: the target does not answer.
    """
    if is_known:
        target = _known(database, migrations)
    else:
        target = _unknown(database, migrations, own_server=own_server)
    if target.context is None:
        return target
    context = replace(target.context, trusts_files=trusts_files)
    rights = "rights of a superuser" if trusts_files else target.rights
    notes = target.notes
    absent = _absent_roles(context, migrations) if own_server else ()
    if absent:
        names = ", ".join(absent[:_MOST_ROLES])
        more = f" and {len(absent) - _MOST_ROLES} more" if len(absent) > _MOST_ROLES else ""
        made = (
            "roles that files name and do not create exist on scratch, without login, and may "
            f"create in schema public: {names}{more}"
        )
        context, notes = replace(context, absent_roles=absent), (*notes, made)
    return replace(target, context=context, rights=rights, notes=notes)


def _unknown(database: Database, migrations: MigrationSet, *, own_server: bool) -> VerifyTarget:
    driver = open_driver(database._replace(url="postgresql:///"))
    may = ", who may create roles" if own_server else ""
    notes = [f"the target is not known: the files ran as the owner of the database{may}"]
    used = extensions_not_created(migrations) if own_server else ()
    if used:
        names = ", ".join(used)
        notes.append(f"extensions that files use and do not create exist on scratch: {names}")
    context = replace(_UNKNOWN, extensions=tuple((one, "public") for one in used))
    return VerifyTarget(driver, context, Dialect.POSTGRES, "rights of an owner", tuple(notes))


def _known(database: Database, migrations: MigrationSet) -> VerifyTarget:
    driver = open_driver(database)
    with driver.read() as reader:
        dialect = reader.locate().dialect
        if dialect is Dialect.SQLITE:
            return VerifyTarget(driver, None, dialect)
        context = reader.server_context()
    created = _created_extensions(migrations)
    kept = tuple(one for one in context.extensions if one[0] not in created)
    note = (
        f"the target's role {context.user} may leave its database (a superuser, or a role that "
        "runs programs or reads files); on scratch it may not"
    )
    notes = (note,) if context.leaves_database else ()
    rights = f"rights of the target's role {context.user}"
    return VerifyTarget(driver, replace(context, extensions=kept), dialect, rights, notes)


def _absent_roles(context: ServerContext, migrations: MigrationSet) -> tuple[str, ...]:
    """Return the roles that files name and nobody creates."""
    there = {*context.roles, context.user}
    return tuple(one for one in roles_not_created(migrations) if one not in there)


def _created_extensions(migrations: MigrationSet) -> frozenset[str]:
    """Return the extensions that files create: a superuser must not create them before."""
    return frozenset(
        word.strip('"').lower()
        for one in migrations.migrations
        if one.up is not None and "extension" in one.up.text.lower()
        for script in [read(one.up.text)]
        for statement in script.statements
        if creates_extension(statement)
        for word in script.text[statement.start : statement.end].replace(";", " ").split()
    )
