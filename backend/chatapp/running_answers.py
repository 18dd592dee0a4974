"""
Run the answers of this process as tasks, independent of their readers.

An answer is a task: it continues without readers, up to a limit, and is stored; each reader
receives it from its beginning. A question that is being answered here is not sent a second time;
two processes may both answer one, and one answer is stored.

A stopped answer is stored as far as it came, because its reader requests that. An answer that is
dropped, because nobody read it for too long or the service ends, is not stored: it would look like
a complete one, and asking again with the same id answers the question.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from chatapp import problems, saved_answers, summaries
from chatapp.llm import ProviderError
from chatapp.postgres import listening

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Iterator

    from chatapp.answers import Draft
    from chatapp.llm import Catalogue
    from chatapp.metrics import Metrics
    from chatapp.postgres import Pool
    from chatapp.settings import Settings
    from chatapp.values import Exchange

_LOGGER = logging.getLogger("chatapp")
_PAUSE_S = 15.0
"""After this time without a piece a reader receives an empty one."""


class RunningAnswer:
    """
    One running answer.

    Args:
        draft: the question.
        unread_limit: seconds for which it continues without a reader.
    """

    def __init__(self, draft: Draft, unread_limit: float) -> None:
        self.draft = draft
        self.task: asyncio.Task[None] | None = None
        self._unread_limit = unread_limit
        self._pieces: list[str] = []
        self._changed = asyncio.Event()
        self._outcome: Exchange | Exception | None = None
        self._readers = 0
        self._is_complete = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_read(self) -> bool:
        """Report whether it has a reader, who receives its end."""
        return self._readers > 0

    def add(self, piece: str) -> None:
        """Append a piece."""
        self._pieces.append(piece)
        self._notify()

    def end(self, outcome: Exchange | Exception) -> None:
        """End it; only the first outcome counts."""
        self._outcome = self._outcome or outcome
        self.complete()
        self._notify()

    def complete(self) -> None:
        """Mark it as complete: from now on it is not dropped."""
        self._is_complete = True
        self._hold()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    @contextmanager
    def read(self) -> Iterator[None]:
        """Count as a reader for a `with` block, during which it is not dropped."""
        self._readers += 1
        self._hold()
        try:
            yield
        finally:
            self._readers -= 1
            self.release()

    def _hold(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def release(self) -> None:
        """Drop it after the limit, if it has no reader now."""
        assert self.task is not None
        if not (self.is_read or self._is_complete):
            self._hold()
            self._timer = asyncio.get_running_loop().call_later(
                self._unread_limit, self.task.cancel
            )

    async def pieces(self) -> AsyncGenerator[str, None]:
        """Yield each piece from the first on, and an empty one after a long silence."""
        at = 0
        while at < len(self._pieces) or self._outcome is None:
            if at < len(self._pieces):
                at += 1
                yield self._pieces[at - 1]
                continue
            try:
                async with asyncio.timeout(_PAUSE_S):
                    await self._changed.wait()
            except TimeoutError:
                yield ""

    async def result(self) -> Exchange:
        """
        Wait for the end.

        Raises:
            Problem: it was dropped, or could not be stored.
            ProviderError: the provider failed.
        """
        while self._outcome is None:
            await self._changed.wait()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


class Answers:
    """
    The running answers of this process; as a context manager it ends them.

    Args:
        pool: stores them.
        catalogue: the models that write summaries.
        metrics: counts them.
        settings: have the limits without a reader and at shutdown.
    """

    def __init__(
        self, pool: Pool, catalogue: Catalogue, metrics: Metrics, settings: Settings
    ) -> None:
        self._pool, self._catalogue = pool, catalogue
        self._metrics, self._settings = metrics, settings
        self._tasks: set[asyncio.Task[None]] = set()
        self._being_summarised: set[UUID] = set()
        """The conversations of which a summary is being written."""
        self._running: dict[UUID, RunningAnswer] = {}
        self._listener: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()
        """Set once notices to stop are received: an answer that starts earlier would miss them."""

    def start(self, draft: Draft) -> RunningAnswer:
        """Answer a question, or return the running answer to it."""
        name = draft.question.id
        if name not in self._running:
            running = RunningAnswer(draft, self._settings.abandoned_answer_s)
            self._running[name] = running
            running.task = self._begin(self._answer(running))
            running.release()
        return self._running[name]

    def is_running(self, question_id: UUID) -> bool:
        """Report whether a question is being answered in this process."""
        return question_id in self._running

    def stop(self, question_id: UUID) -> None:
        """Stop the running answer to a question, if it is in this process; store what has come."""
        if running := self._running.get(question_id):
            running.draft.generation.stop()

    async def __aenter__(self) -> Self:
        url = self._settings.database_url.get_secret_value()
        self._listener = asyncio.create_task(
            listening.listen(url, self._on_notice, self._listening)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait for running answers for the grace time, then drop the rest."""
        tasks = set(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.answer_grace_s)
        last = {*tasks, self._listener} if self._listener else tasks
        for task in last:
            task.cancel()
        await asyncio.gather(*last, return_exceptions=True)

    def _on_notice(self, payload: str) -> None:
        try:
            self.stop(UUID(payload))
        except ValueError:  # every user of the database may notify
            _LOGGER.warning("A notice to stop an answer names none.")

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _answer(self, running: RunningAnswer) -> None:
        draft = running.draft
        try:
            await self._listening.wait()
            async for piece in draft.generation.pieces():
                running.add(piece)
            running.complete()
            running.end(await self._keep(draft))
            if self._settings.summarise_over_tokens is not None:
                self._begin(self._summarise(draft, self._settings.summarise_over_tokens))
        except ProviderError as error:
            await self._record_failure(draft, error.trouble)
            running.end(error)
        except asyncio.CancelledError:
            await self._record_failure(draft, "dropped")
        except Exception as error:
            running.end(error)
            if not (running.is_read or isinstance(error, problems.Problem)):
                _LOGGER.warning("An answer that nobody reads was not kept.", exc_info=error)
        finally:
            running.end(problems.answer_dropped())
            del self._running[draft.question.id]

    async def _keep(self, draft: Draft) -> Exchange:
        """Store the answer; count it even where it cannot be stored, because it is paid."""
        answer = draft.generation.answer
        stopped = answer.ending.finish_reason == "stopped"
        self._metrics.answered(answer, "answer", "stopped" if stopped else "answered")
        return await saved_answers.keep(self._pool, draft, answer)

    async def _summarise(self, draft: Draft, budget: int) -> None:
        """Summarise the conversation if it exceeds its budget; failures are only logged."""
        conversation, generation = draft.conversation, draft.generation
        if conversation.id in self._being_summarised or generation.tokens <= budget:
            return
        self._being_summarised.add(conversation.id)
        most, of = self._settings.answer_timeout_s, (conversation.user_id, conversation.id)
        request = summaries.Wanted(None, generation.offer.model, generation.offer.provider)
        try:
            async with self._pool.alone() as connection:
                summary_draft = await summaries.draft(
                    connection, self._catalogue, most, of, request
                )
            await summaries.write(self._pool, self._metrics, summary_draft)
        except Exception as error:  # noqa: BLE001 - the next answer retries
            _LOGGER.warning("A conversation was not summarised: %s", type(error).__name__)
        finally:
            self._being_summarised.discard(conversation.id)

    async def _record_failure(self, draft: Draft, outcome: str) -> None:
        """Count an answer that is not stored; if it is paid, as usage too."""
        offer = draft.generation.offer
        self._metrics.failed(offer.provider, offer.model, "answer", outcome)
        if not draft.generation.paid:
            return
        self._metrics.paid(draft.generation.answer)
        try:
            await saved_answers.bill(self._pool, draft, draft.generation.answer)
        except Exception as fault:  # noqa: BLE001 - the reader receives the first error
            _LOGGER.warning("A paid answer is not in the usage: %s", type(fault).__name__)
