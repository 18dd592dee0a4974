"""
What a client can be told went wrong, as RFC 9457 has it.

Steps of a request raise a `Problem`; `api.errors` writes it. Each kind has a name that
clients may rely on, and a sentence for people. Nothing here knows HTTP beyond the status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatapp.models import ProviderError

PREFIX = "urn:chatapp:problem:"

_TROUBLES = {
    "unreachable": (502, "The model cannot be reached"),
    "broken": (502, "The model's answer cannot be used"),
    "refused": (502, "The model refused"),
    "busy": (503, "The model is busy"),
    "timeout": (504, "The model took too long"),
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


def too_long(most: int) -> Problem:
    """There is more than is read and sent at once."""
    detail = f"More than {most} messages are not sent at once; summarise the first, up to one."
    return conflict("too-long", detail)


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
    status, title = _TROUBLES[error.trouble]
    retry = _RETRY_BUSY if error.trouble == "busy" else None
    return Problem(status, f"provider-{error.trouble}", title, error.detail, retry)


def misshapen(detail: str) -> Problem:
    """The model answered, and not in the conversation's form."""
    return Problem(502, "answer-misshapen", "The model's answer does not have its form", detail)
