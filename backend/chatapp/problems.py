"""
What a client can be told went wrong, as RFC 9457 has it.

Steps of a request raise a `Problem`; `api.errors` writes it. Each kind has a name that
clients may rely on, and a sentence for people. Nothing here knows HTTP beyond the status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatapp.llm import ProviderError

PREFIX = "urn:chatapp:problem:"

_TROUBLES = {
    "unreachable": (502, "provider-unreachable", "The model cannot be reached"),
    "broken": (502, "provider-broken", "The model's answer cannot be used"),
    "refused": (502, "provider-refused", "The provider refused the request"),
    "busy": (503, "provider-busy", "The model is busy"),
    "timeout": (504, "provider-timeout", "The model took too long"),
    "too-long": (409, "context-too-long", "The conversation is too long for the model"),
    "refusal": (502, "answer-refused", "The model refused to answer"),
    "empty": (502, "answer-empty", "The model's answer is empty"),
    "stopped": (409, "answer-stopped", "The answer was stopped"),
}
_RETRY_BUSY = 5


class Problem(Exception):
    """
    A request that cannot be done.

    Args:
        status: the HTTP status.
        name: of which kind, for programs.
        title: of which kind, for people.
        detail: what about this one.
        retry_after: seconds after which it may be worth trying again.
    """

    def __init__(
        self, status: int, name: str, title: str, detail: str, retry_after: int | None = None
    ) -> None:
        super().__init__(status, name, title, detail, retry_after)
        self.status, self.name, self.title, self.detail = status, name, title, detail
        self.retry_after = retry_after


def not_found(what: str) -> Problem:
    """It is not there, or belongs to somebody else: which of the two is not told."""
    return Problem(404, "not-found", "Not found", f"There is no such {what} of yours.")


def conflict(name: str, detail: str) -> Problem:
    """It does not fit what is there."""
    return Problem(409, name, "Conflict", detail)


def too_long(messages: int, size: int, tokens: int) -> Problem:
    """There is more than is read and sent at once."""
    detail = (
        f"More than {messages} messages, {size} bytes or about {tokens} tokens are not sent at "
        "once; summarise the first messages, up to one of them (POST …/summaries), and ask again."
    )
    return conflict("too-long", detail)


def question_gone() -> Problem:
    """What was asked was deleted before its answer came."""
    return conflict("question-gone", "The question was deleted before its answer came.")


def not_newest() -> Problem:
    """Only the newest question's answer can be replaced: what came later was said knowing it."""
    return conflict("not-the-newest", "Only the answer to the newest question can be replaced.")


def running() -> Problem:
    """The answer that would be replaced has not come yet."""
    return conflict("answer-running", "That question is being answered; stop it first, or wait.")


def too_much_to_summarise(messages: int, size: int) -> Problem:
    """There is more than is read at once, and no message named up to which."""
    detail = f"More than {messages} messages or {size} bytes are not read at once; name `up_to`."
    return conflict("too-long", detail)


def dropped() -> Problem:
    """The answer was given up: nobody waited for it, or the service ends."""
    detail = "The answer was given up; ask again under the same id."
    return Problem(503, "answer-dropped", "The answer was given up", detail, retry_after=1)


def unauthorised(detail: str) -> Problem:
    """Nobody is logged in, or not with that password."""
    return Problem(401, "not-logged-in", "Not logged in", detail)


def forbidden(name: str, detail: str) -> Problem:
    """Somebody is logged in, and may not do this."""
    return Problem(403, name, "Not allowed", detail)


def too_often(wait: float) -> Problem:
    """It was asked for too often; it may be asked again in some seconds."""
    seconds = int(wait) + 1
    detail = f"Too many requests; try again in {seconds} s."
    return Problem(429, "too-many-requests", "Too many requests", detail, seconds)


def busy(detail: str) -> Problem:
    """There is more to do than can be done soon."""
    return Problem(503, "busy", "Busy", detail, _RETRY_BUSY)


def unusable(name: str, detail: str) -> Problem:
    """It can be read, and means nothing that can be done."""
    return Problem(422, name, "Cannot be done", detail)


def provider_problem(error: ProviderError) -> Problem:
    """What a provider's trouble is for the client."""
    status, name, title = _TROUBLES[error.trouble]
    retry = error.retry_after or (_RETRY_BUSY if error.trouble == "busy" else None)
    return Problem(status, name, title, error.detail, retry)


def misshapen(detail: str) -> Problem:
    """The model answered, and not in the conversation's form."""
    return Problem(502, "answer-misshapen", "The model's answer does not have its form", detail)
