"""
What has to be done around a CONCURRENTLY, which can leave things behind where it fails.

Before a build an invalid index of its name, left by a build that failed, is dropped; without
that IF NOT EXISTS would pass it over, and anything else stumble on it. Behind a build its
index has to be valid. A detaching that was begun is finished instead of begun again. All
outside a transaction, on the session as the file has set it, as the statement itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.postgres import quoting
from rung.drivers.postgres.message import MessageResult
from rung.drivers.postgres.quoting import statement
from rung.drivers.transaction import ServerNotice, StatementFailure
from rung.errors import ServerMessage, sqlstate
from rung.script import RerunSafety, rerun_rule_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.drivers.postgres.quoting import Sql
    from rung.drivers.postgres.wire import Reply, Wire
    from rung.script import RerunRule, Script

_MEND_DATA = "fix the data (the next try drops the invalid index that this one left)"
_LEFT = "was invalid, left by a failed build"


class Leftover(NamedTuple):
    """An invalid index by its qualified name, and who is building it right now, if anybody."""

    name: str
    builder: str = ""


class Concurrent:
    """
    One statement that runs concurrently with others.

    Args:
        wire: idle, outside a transaction.
        script: the file.
        number: the statement.
    """

    def __init__(self, wire: Wire, script: Script, number: int) -> None:
        self._wire, self._number = wire, number
        self._inquiry = rerun_rule_of(script, script.statements[number - 1])

    def run(self, send: Callable[[], MessageResult]) -> MessageResult:
        """Run it by `send`, and what has to be done before and after it."""
        match self._inquiry.trace:
            case RerunSafety.INDEX_BUILT if self._inquiry.name:
                return self._build(send)
            case RerunSafety.INDEX_BUILT:
                return self._build_unnamed(send)
            case RerunSafety.PARTITION_DETACHED:
                return self._detach(send)
            case RerunSafety.NONE if self._inquiry.table:
                return self._behind_dropping(self._found(_of_reindex(self._inquiry)), send)
        return send()

    def _build(self, send: Callable[[], MessageResult]) -> MessageResult:
        question = _of_index("invalid_index", self._inquiry)
        ran = self._behind_dropping(self._found(question), send)
        if ran.failure is None and (still := self._found(question)):
            return self._refused(f"the index {still[0].name} is still invalid after the build")
        return ran

    def _build_unnamed(self, send: Callable[[], MessageResult]) -> MessageResult:
        """A name that the server chooses is a new one; the old index is its twin."""
        question = _of_index("invalid_twins", self._inquiry)
        of_others = self._found(question)
        ran = _explained(send())
        if ran.failure:
            return ran
        twins = [one for one in self._found(question) if one not in of_others]
        dropped = self._drop([one for one in twins if not one.builder])
        return replace(dropped, notices=(*ran.notices, *dropped.notices))

    def _behind_dropping(
        self, leftovers: Sequence[Leftover], send: Callable[[], MessageResult]
    ) -> MessageResult:
        building = next((one for one in leftovers if one.builder), None)
        if building:
            said = f"the index {building.name} is being built by another session"
            return self._refused(f"{said}: {building.builder}", "wait until that build is over")
        dropped = self._drop(leftovers)
        if dropped.failure:
            return dropped
        ran = _explained(send())
        return replace(ran, notices=(*dropped.notices, *ran.notices))

    def _detach(self, send: Callable[[], MessageResult]) -> MessageResult:
        table, name = (quoting.text(part) for part in (self._inquiry.table, self._inquiry.name))
        only = statement("of_that_detaching", table=table, name=name)
        reply = self._wire.ask(statement("pending_detaches", only=only))
        pending = [] if reply.error else reply.rows(0)
        if not pending:
            return send()
        parent, part = pending[0]
        reply = self._wire.ask(f"ALTER TABLE {parent} DETACH PARTITION {part} FINALIZE")
        said = f"An earlier attempt began to detach {part}; the detach was finished."
        return self._ran(reply, said)

    def _found(self, question: Sql) -> list[Leftover]:
        """What is there; nothing where the server cannot say, whose word on the rest follows."""
        reply = self._wire.ask(question)
        rows = [] if reply.error else reply.rows(0)
        return [Leftover(name or "", builder or "") for name, builder in rows]

    def _drop(self, leftovers: Sequence[Leftover]) -> MessageResult:
        notices: tuple[ServerNotice, ...] = ()
        for one in leftovers:
            reply = self._wire.ask(f"DROP INDEX CONCURRENTLY IF EXISTS {one.name}")
            ran = self._ran(reply, f"The index {one.name} {_LEFT}; it was dropped.")
            notices += ran.notices
            if ran.failure:
                return replace(ran, notices=notices)
        return MessageResult(notices=notices)

    def _ran(self, reply: Reply, said: str) -> MessageResult:
        if reply.error is None:
            return MessageResult(notices=(ServerNotice("WARNING", "", said),))
        message = reply.error.message
        cancelled = message.sqlstate == sqlstate.QUERY_CANCELED
        return MessageResult(StatementFailure(message, self._number, cancelled=cancelled))

    def _refused(self, said: str, remedy: str = "") -> MessageResult:
        return MessageResult(StatementFailure(ServerMessage(said), self._number, remedy=remedy))


def _explained(ran: MessageResult) -> MessageResult:
    """The same; where equal values stopped a unique build, with what to do about it."""
    failure = ran.failure
    if failure is None or failure.server.sqlstate != sqlstate.UNIQUE_VIOLATION:
        return ran
    return replace(ran, failure=replace(failure, remedy=_MEND_DATA))


def _of_index(which: str, inquiry: RerunRule) -> Sql:
    names = {"table": quoting.text(inquiry.table)}
    if inquiry.name:
        names["name"] = quoting.text(inquiry.name)
    return statement(which, builder=statement("index_builder"), **names)


def _of_reindex(inquiry: RerunRule) -> Sql:
    return statement(
        "reindex_leftovers",
        builder=statement("index_builder"),
        kind=quoting.text(inquiry.table),
        name=quoting.text(inquiry.name),
    )
