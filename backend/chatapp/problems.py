"""
The errors of the API, as problem details (RFC 9457).

A request raises a `Problem`; `api.errors` writes it. Each kind has a name that clients may rely on,
and a sentence for people. Of HTTP only the status is known here.
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
    A request that cannot be completed.

    Args:
        status: the HTTP status.
        name: the kind, for programs.
        title: the kind, for people.
        detail: a sentence on this occurrence.
        retry_after: seconds after which a retry may succeed.
    """

    def __init__(
        self, status: int, name: str, title: str, detail: str, retry_after: int | None = None
    ) -> None:
        super().__init__(status, name, title, detail, retry_after)
        self.status, self.name, self.title, self.detail = status, name, title, detail
        self.retry_after = retry_after


def not_found(what: str) -> Problem:
    """Return the problem of a resource that does not exist or belongs to another user."""
    return Problem(404, "not-found", "Not found", f"There is no such {what} of yours.")


def conflict(name: str, detail: str) -> Problem:
    """Return the problem of a request that conflicts with the current state."""
    return Problem(409, name, "Conflict", detail)


def too_long(messages: int, size: int, tokens: int) -> Problem:
    """Return the problem of a conversation that is too long to be sent."""
    detail = (
        f"More than {messages} messages, {size} bytes or about {tokens} tokens are not sent at "
        "once; summarise the first messages, up to one of them (POST …/summaries), and ask again."
    )
    return conflict("too-long", detail)


def question_deleted() -> Problem:
    """Return the problem of a question that was deleted before its answer."""
    return conflict("question-gone", "The question was deleted before its answer came.")


def not_newest() -> Problem:
    """Return the problem of an older question: later messages refer to its answer."""
    return conflict("not-the-newest", "Only the answer to the newest question can be replaced.")


def running() -> Problem:
    """Return the problem of a question that is still being answered."""
    return conflict("answer-running", "That question is being answered; stop it first, or wait.")


def too_much_to_summarise(messages: int, size: int) -> Problem:
    """Return the problem of a summary of too many messages, without `up_to`."""
    detail = f"More than {messages} messages or {size} bytes are not read at once; name `up_to`."
    return conflict("too-long", detail)


def answer_dropped() -> Problem:
    """Return the problem of an answer that was dropped: without readers, or at shutdown."""
    detail = "The answer was given up; ask again under the same id."
    return Problem(503, "answer-dropped", "The answer was given up", detail, retry_after=1)


def unauthorised(detail: str) -> Problem:
    """Return the problem of a missing log-in or a wrong password."""
    return Problem(401, "not-logged-in", "Not logged in", detail)


def forbidden(name: str, detail: str) -> Problem:
    """Return the problem of a missing permission."""
    return Problem(403, name, "Not allowed", detail)


def too_often(wait: float) -> Problem:
    """Return the problem of too many requests; `wait` is in seconds."""
    seconds = int(wait) + 1
    detail = f"Too many requests; try again in {seconds} s."
    return Problem(429, "too-many-requests", "Too many requests", detail, seconds)


def busy(detail: str) -> Problem:
    """Return the problem of an overloaded service."""
    return Problem(503, "busy", "Busy", detail, _RETRY_BUSY)


def unusable(name: str, detail: str) -> Problem:
    """Return the problem of a valid request that cannot be fulfilled."""
    return Problem(422, name, "Cannot be done", detail)


def provider_problem(error: ProviderError) -> Problem:
    """Translate a provider's error for the client."""
    status, name, title = _TROUBLES[error.trouble]
    retry = error.retry_after or (_RETRY_BUSY if error.trouble == "busy" else None)
    return Problem(status, name, title, error.detail, retry)


def invalid_form(detail: str) -> Problem:
    """Return the problem of an answer that does not have the conversation's form."""
    return Problem(502, "answer-misshapen", "The model's answer does not have its form", detail)
