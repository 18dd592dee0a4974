"""
The answers that are under way in this process, whoever reads them.

An answer is a task of its own: it goes on when its reader is gone, up to a limit, and is kept;
readers come and go, and each gets it from its beginning. A question that is being answered here
is not sent a second time; two processes may both answer one, and one answer is kept.

What ends early: a stopped answer is kept as far as it came, for its reader wants it so. One
that is given up, because nobody read it for too long or the service ends, is dropped: it would
look like a whole one later, and asking again under the same id answers the question.
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
"""After so long without a piece a reader is told that it is still waited for."""


class Running:
    """
    One answer under way.

    Args:
        draft: what is asked.
        patience: seconds that it goes on without a reader.
    """

    def __init__(self, draft: Draft, patience: float) -> None:
        self.draft = draft
        self.task: asyncio.Task[None] | None = None
        self._patience = patience
        self._pieces: list[str] = []
        self._news = asyncio.Event()
        self._outcome: Exchange | Exception | None = None
        self._readers = 0
        self._came = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_read(self) -> bool:
        """Whether anybody reads it, and so is told of its end."""
        return self._readers > 0

    def add(self, piece: str) -> None:
        """Take in one more piece."""
        self._pieces.append(piece)
        self._tell()

    def end(self, outcome: Exchange | Exception) -> None:
        """It is over; what it ended with first counts."""
        self._outcome = self._outcome or outcome
        self.keep_on()
        self._tell()

    def keep_on(self) -> None:
        """It has come: from now on it is not given up."""
        self._came = True
        self._hold()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    @contextmanager
    def read(self) -> Iterator[None]:
        """Be a reader for the block: it is not given up meanwhile."""
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
        """Give it up after a while, where nobody reads it now."""
        assert self.task is not None
        if not (self.is_read or self._came):
            self._hold()
            self._timer = asyncio.get_running_loop().call_later(self._patience, self.task.cancel)

    async def pieces(self) -> AsyncGenerator[str, None]:
        """Each piece from the first on, and an empty one where it has been silent for long."""
        at = 0
        while at < len(self._pieces) or self._outcome is None:
            if at < len(self._pieces):
                at += 1
                yield self._pieces[at - 1]
                continue
            try:
                async with asyncio.timeout(_PAUSE_S):
                    await self._news.wait()
            except TimeoutError:
                yield ""

    async def result(self) -> Exchange:
        """
        Wait until it is over.

        Raises:
            Problem: it was dropped, or could not be kept.
            ProviderError: it did not come.
        """
        while self._outcome is None:
            await self._news.wait()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


class Answers:
    """
    All that are under way here; as a context, they are ended with it.

    Args:
        pool: where they are kept.
        catalogue: who writes summaries.
        metrics: where they are counted.
        settings: how long they go on without a reader, and at the end.
    """

    def __init__(
        self, pool: Pool, catalogue: Catalogue, metrics: Metrics, settings: Settings
    ) -> None:
        self._pool, self._catalogue = pool, catalogue
        self._metrics, self._settings = metrics, settings
        self._tasks: set[asyncio.Task[None]] = set()
        self._summarised: set[UUID] = set()
        """Conversations that a summary is being written of."""
        self._running: dict[UUID, Running] = {}
        self._listener: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        """Whether notices to stop were listened for: an answer that begins earlier misses them."""

    def start(self, draft: Draft) -> Running:
        """Answer a question, or read the answer to it that is under way."""
        name = draft.question.id
        if name not in self._running:
            running = Running(draft, self._settings.abandoned_answer_s)
            self._running[name] = running
            running.task = self._begin(self._answer(running))
            running.release()
        return self._running[name]

    def is_running(self, question_id: UUID) -> bool:
        """Whether a question is being answered here."""
        return question_id in self._running

    def stop(self, question_id: UUID) -> None:
        """End the answer to a question, where it is under way here; what has come is kept."""
        if running := self._running.get(question_id):
            running.draft.generation.stop()

    async def __aenter__(self) -> Self:
        url = self._settings.database_url.get_secret_value()
        self._listener = asyncio.create_task(listening.listen(url, self._heard, self._tried))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait a little for what is under way, drop the rest."""
        tasks = set(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.answer_grace_s)
        last = {*tasks, self._listener} if self._listener else tasks
        for task in last:
            task.cancel()
        await asyncio.gather(*last, return_exceptions=True)

    def _heard(self, payload: str) -> None:
        try:
            self.stop(UUID(payload))
        except ValueError:  # whoever may connect may notify
            _LOGGER.warning("A notice to stop an answer names none.")

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _answer(self, running: Running) -> None:
        draft = running.draft
        try:
            await self._tried.wait()
            async for piece in draft.generation.pieces():
                running.add(piece)
            running.keep_on()
            running.end(await self._keep(draft))
            if self._settings.summarise_over_tokens is not None:
                self._begin(self._summarise(draft, self._settings.summarise_over_tokens))
        except ProviderError as error:
            await self._failed(draft, error.trouble)
            running.end(error)
        except asyncio.CancelledError:
            await self._failed(draft, "dropped")
        except Exception as error:
            running.end(error)
            if not (running.is_read or isinstance(error, problems.Problem)):
                _LOGGER.warning("An answer that nobody reads was not kept.", exc_info=error)
        finally:
            running.end(problems.dropped())
            del self._running[draft.question.id]

    async def _keep(self, draft: Draft) -> Exchange:
        """Keep what came; it is counted even where it cannot be kept, for it was paid."""
        answer = draft.generation.answer
        stopped = answer.ending.finish_reason == "stopped"
        self._metrics.answered(answer, "answer", "stopped" if stopped else "answered")
        return await saved_answers.keep(self._pool, draft, answer)

    async def _summarise(self, draft: Draft, budget: int) -> None:
        """Summarise the conversation where it has outgrown its budget; it goes on without, too."""
        conversation, generation = draft.conversation, draft.generation
        if conversation.id in self._summarised or generation.tokens <= budget:
            return
        self._summarised.add(conversation.id)
        most, of = self._settings.answer_timeout_s, (conversation.user_id, conversation.id)
        wanted = summaries.Wanted(None, generation.offer.model, generation.offer.provider)
        try:
            async with self._pool.alone() as connection:
                made = await summaries.draft(connection, self._catalogue, most, of, wanted)
            await summaries.write(self._pool, self._metrics, made)
        except Exception as error:  # noqa: BLE001 - nobody waits for it; the next answer tries again
            _LOGGER.warning("A conversation was not summarised: %s", type(error).__name__)
        finally:
            self._summarised.discard(conversation.id)

    async def _failed(self, draft: Draft, outcome: str) -> None:
        """Count an answer that is not kept; where it has to be paid, as usage too."""
        offer = draft.generation.offer
        self._metrics.failed(offer.provider, offer.model, "answer", outcome)
        if not draft.generation.paid:
            return
        self._metrics.paid(draft.generation.answer)
        try:
            await saved_answers.bill(self._pool, draft, draft.generation.answer)
        except Exception as fault:  # noqa: BLE001 - the reader is told of what went wrong first
            _LOGGER.warning("A paid answer is not in the usage: %s", type(fault).__name__)
