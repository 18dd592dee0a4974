"""
Limit what a provider may send: the bytes of one event, or of a whole response without a stream.

OpenAI's SDK collects a line, an event and the body of an error without a limit; so the bytes are
counted before it receives them. The service requests no compression, and rejects compressed
responses: a few bytes could become any number.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST_BYTES = 1_100_000
"""More bytes than the longest answer has."""
_LONGEST_WAIT_S = 3
"""The longest wait that a provider may request; for a longer one the client has to retry."""
_DAY_S = 86_400
_END = re.compile(rb"\r\n?\r\n?|\n\n")


async def bound(response: httpx2.Response) -> None:
    """Limit a response whose body is not read yet; a hook of httpx."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    response.headers.pop("content-encoding", None)
    if (retry_after(response.headers) or 0) > _LONGEST_WAIT_S:
        response.headers["x-should-retry"] = "false"  # what the SDK goes by
    kind = response.headers.get("content-type", "")
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = _Bounded(
        response.stream,
        most=MOST_BYTES if encoding == "identity" else 0,
        in_events=kind.startswith("text/event-stream"),
        cut=not response.is_success,
    )


def retry_after(headers: httpx2.Headers) -> int | None:
    """Return the whole seconds that a provider requests to wait, up to a day; None without."""
    told = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", told):
        seconds = int(told)
    else:
        try:
            seconds = round((parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
        except (TypeError, ValueError):  # it is no date, or one without its zone
            return None
    return min(max(seconds, 1), _DAY_S)


class _Bounded(httpx2.AsyncByteStream):
    """
    A stream with a limit on its bytes.

    Args:
        stream: the source of the bytes.
        most: the limit.
        in_events: whether the end of an event resets the count.
        cut: whether the rest is dropped, as for an error's text; otherwise it is an error.
    """

    def __init__(
        self, stream: httpx2.AsyncByteStream, *, most: int, in_events: bool, cut: bool
    ) -> None:
        self._stream, self._most = stream, most
        self._in_events, self._cut = in_events, cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length, tail = 0, b""
        async for chunk in self._stream:
            seen = tail + chunk  # the end of an event may be split between two chunks
            *before, last = _END.split(seen) if self._in_events else [seen]
            length = len(last) if before else length + len(chunk)
            tail = b"" if before else seen[-3:]
            if length > self._most:
                if self._cut:
                    return
                raise httpx2.RemoteProtocolError("more bytes than an answer may have")
            yield chunk

    async def aclose(self) -> None:
        """Close the source."""
        await self._stream.aclose()
