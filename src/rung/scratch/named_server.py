"""
Scratch databases for PostgreSQL, and a server for them that the user names.

Files run as a role that is not a superuser, cannot become one, and reaches neither programs nor
files of the server. It logs in as itself, so that RESET ROLE and RESET SESSION AUTHORIZATION
return to it. It owns the databases and nothing else.
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.drivers.inspection import Disconnected
from rung.errors import DatabaseError, ScratchFailed, sqlstate
from rung.scratch.limit import BlockLimit, watched
from rung.scratch.roles import quoted
from rung.script import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from rung.drivers.contract import Driver, Session
    from rung.drivers.inspection import ServerContext
    from rung.drivers.transaction import StatementFailure

_END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = '{name}' AND pid <> pg_backend_pid()"
)
_END_CREATION = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE query ~ '^(CREATE|DROP) DATABASE (IF EXISTS )?{prefix}' AND pid <> pg_backend_pid()"
)
"""An interrupted session may still create a database, which nobody else sees before its end."""
_DROP_ROLES = """DO $$ DECLARE one name; BEGIN
FOR one IN SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|rung_scratch_)' LOOP
    EXECUTE format('DROP OWNED BY %I', one);
END LOOP;
FOR one IN SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|rung_scratch_)' LOOP
    EXECUTE format('DROP ROLE %I', one);
END LOOP; END $$"""
"""
Databases are dropped before, so that only grants of memberships depend on these roles.

The administrator and the server's first role begin with rung_scratch_.
"""
_COPY_SETTINGS = """DO $$ DECLARE one record; BEGIN
FOR one IN SELECT r.rolname, split_part(o, '=', 1) AS name, substr(o, strpos(o, '=') + 1) AS value
             FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
             LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) o
            WHERE d.datname = '{source}' LOOP
    EXECUTE format('ALTER %s SET %I TO %s',
        CASE WHEN one.rolname IS NULL THEN 'DATABASE {target}'
             ELSE format('ROLE %I IN DATABASE {target}', one.rolname) END, one.name,
        CASE WHEN one.name = 'search_path' THEN one.value ELSE quote_literal(one.value) END);
END LOOP; END $$"""
"""A copy has none of the settings of its template; those of lists are kept as a SET has them."""


@dataclass(frozen=True, slots=True)
class Account:
    """The role that files run as; None for the user of the URL."""

    user: str | None = None
    password: str | None = None

    @property
    def owner(self) -> str:
        """Return the clause of CREATE DATABASE that makes the role its owner."""
        return "" if self.user is None else f" OWNER {quoted(self.user)}"


@dataclass(slots=True)
class ScratchDatabases:
    """See `rung.scratch.model.Scratch`."""

    driver: Driver
    """Of the target database."""
    admin: Session
    """A session on the scratch server, in another database."""
    url: str
    account: Account
    context: ServerContext
    where: str
    rights: str = ""
    absent_extensions: tuple[str, ...] = ()
    prepare: tuple[str, ...] = ()
    """Statements that `superuser` runs in each empty database."""
    superuser: Account = field(default_factory=Account)
    prefix: str = field(default_factory=lambda: f"rung_scratch_{secrets.token_hex(4)}")
    created: list[str] = field(default_factory=list)
    role_statements: tuple[str, ...] = ()
    """What creates the roles of a server that nobody else uses; empty for a named server."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new(self) -> str:
        """Create an empty database, and return its name."""
        name = self.copy("template0")
        if self.prepare:
            with self._driver_for(name, self.superuser).connect(CancelToken()) as session:
                for sql in self.prepare:
                    session.run_unrecorded(read(sql), 1, 1)  # what is absent then is read below
        if self.context.extensions and len(self.created) == 1:
            with self.open(name) as session:
                there = dict(session.server_context().extensions)
            wanted = [extension for extension, _ in self.context.extensions]
            self.absent_extensions = tuple(one for one in wanted if one not in there)
        return name

    def copy(self, name: str) -> str:
        """Create a copy of a database, and return its name."""
        target = f"{self.prefix}_{next(self._numbers)}"
        self.created.append(target)
        self.execute(f"CREATE DATABASE {target}{self.account.owner} TEMPLATE {name}")
        self.execute(_COPY_SETTINGS.format(source=name, target=target))
        return target

    def open(self, name: str) -> AbstractContextManager[Session]:
        """Connect to a database for a `with` block."""
        return self._driver_for(name, self.account, self.context.settings).connect(CancelToken())

    def driver_of(self, name: str) -> Driver:
        """Return the driver for a database; files run as the account."""
        return self._driver_for(name, self.account, self.context.settings)

    @contextmanager
    def limited(
        self,
        name: str,
        seconds: float,
        megabytes: int,
        cancel: CancelToken,  # noqa: ARG002 - a file can catch the cancellation of its query
    ) -> Iterator[BlockLimit]:
        """End the sessions on a database that has used more than it may."""
        sessions: list[Session] = []

        def ask(sql: str) -> StatementFailure | None:
            if not sessions:  # only a block that takes long needs a connection
                admin = self._driver_for(None, self.superuser)
                sessions.append(stack.enter_context(admin.connect(CancelToken())))
            try:
                return sessions[0].run_unrecorded(read(sql), 1, 1).failure
            except Disconnected:  # a file that runs as the same role can end it
                sessions.clear()
                raise

        def uses(most: int) -> bool:
            # There is no RAISE in plain SQL: a division by zero says that it is more.
            failure = ask(
                f"SELECT 1 / (pg_database_size('{name}') <= {most}::bigint * 1024 * 1024)::int"
            )
            return failure is not None and failure.server.sqlstate == sqlstate.DIVISION_BY_ZERO

        def end() -> None:
            ask(_END_SESSIONS.format(name=name))

        with ExitStack() as stack, watched(seconds, megabytes, uses, end) as limit:
            yield limit

    def _driver_for(
        self, name: str | None, account: Account, settings: Sequence[tuple[str, str]] = ()
    ) -> Driver:
        return self.driver.sibling(self.url, name, account.user, settings, account.password)

    def drop(self, name: str) -> None:
        """Drop a database, with whoever is connected to it; a file may have made it a template."""
        drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
        try:
            self.execute(drop)
        except ScratchFailed:
            self.execute(f"ALTER DATABASE {name} IS_TEMPLATE false")
            self.execute(drop)
        self.created.remove(name)

    def create_account(self) -> None:
        """Create the temporary role that runs the files; it is dropped even if this fails."""
        account = self.account = Account(f"{self.prefix}_role", secrets.token_hex(16))
        self.execute(f"CREATE ROLE {account.user} LOGIN PASSWORD '{account.password}'")
        self.execute(f"GRANT {account.user} TO CURRENT_USER")

    def start_over(self) -> bool:
        """Drop every database and, on a private server, make its roles what they were at first."""
        if not self.role_statements:
            return False
        self.remove()
        self.execute(_DROP_ROLES)
        self.create_roles()
        return True

    def create_roles(self) -> None:
        """Create the roles of a private server; a failure shows when a file needs the role."""
        for sql in self.role_statements:
            self.admin.run_unrecorded(read(sql), 1, 1)

    def remove(self) -> None:
        """Drop all databases that were created."""
        for name in tuple(self.created):
            self.drop(name)

    def execute(self, sql: str) -> None:
        """
        Execute a statement in the administrator's session.

        Raises:
            ScratchFailed: it failed.
        """
        result = self.admin.run_unrecorded(read(sql), 1, 1)
        if result.failure:
            raise ScratchFailed("; ".join(result.failure.server.lines()))


@contextmanager
def on_named_server(
    driver: Driver, context: ServerContext, url: str, note: Callable[[str], None]
) -> Iterator[ScratchDatabases]:
    """
    Yield scratch databases on a server that the user names, and drop them afterwards.

    If the user of the URL may create roles, a temporary role runs the files. It has no memberships,
    because other roles may own objects of the server. Otherwise that user runs them.

    Args:
        driver: of the target database.
        context: facts about the target's server.
        url: of any database of the scratch server, for a user who may create databases.
        note: receives a sentence about what differs from the target, and about what is left.

    Raises:
        ScratchFailed: the server does not create databases for this user.
    """
    with driver.sibling(url).connect(CancelToken()) as admin:
        server = admin.server_context()
        databases = ScratchDatabases(
            driver, admin, url, Account(), context, f"PostgreSQL {server.version}"
        )
        if context.major not in (None, server.major):
            note(
                f"PostgreSQL {server.major} is used instead of the target's {context.major}, which "
                "may write some objects differently"
            )
        try:
            if context.trusts_files:
                databases.rights = f"rights of {server.user}, the user of --scratch"
            elif server.makes_roles or server.leaves_database:
                databases.rights = "rights of an owner who may not create roles"
                databases.create_account()
            else:
                databases.rights = f"rights of {server.user}, the user of --scratch"
                note(
                    f"the files run as {server.user}, who may not create roles, instead of a role "
                    "of their own: they can change other databases of that user"
                )
            yield databases
        finally:
            _drop_all(databases, note)


def _drop_all(databases: ScratchDatabases, note: Callable[[str], None]) -> None:
    """Drop the databases and the role; say which are left where that fails."""
    try:
        try:
            _drop(databases)
        except (DatabaseError, Disconnected):  # the connection is lost, or was interrupted
            with databases.driver.sibling(databases.url).connect(CancelToken()) as session:
                databases.admin = session
                databases.execute(_END_CREATION.format(prefix=databases.prefix))
                _drop(databases)
    except (DatabaseError, Disconnected) as error:
        why = error.cause if isinstance(error, DatabaseError) else error.reason
        left = ", ".join(databases.created) or databases.account.user
        note(f"{left} could not be dropped ({why}) and is left on the scratch server")


def _drop(databases: ScratchDatabases) -> None:
    databases.remove()
    if databases.account.user is not None:
        databases.execute(f"DROP ROLE IF EXISTS {databases.account.user}")
