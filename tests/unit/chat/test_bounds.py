"""The bound on what a provider sends: by event however the bytes come, and by whole otherwise."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.llm import bounds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

LARGE = b"a" * 900


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    """Let 1000 bytes be the most."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bounds, "MOST_BYTES", 1000)
        yield


class Chunks(httpx2.AsyncByteStream):
    """A body in given pieces."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def read(*chunks: bytes, status: int = 200, **headers: str) -> bytes:
    """What is left to read of a response."""

    async def reading() -> bytes:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = httpx2.Response(status, headers=named, stream=Chunks(*chunks))
        await bounds.bound(response)
        return await response.aread()

    return asyncio.run(reading())


@given(st.sampled_from([b"\n\n", b"\r\n\r\n", b"\r\r"]), st.integers(0, 8), st.integers(1, 5))
def test_events_are_bounded_one_by_one(end: bytes, cut: int, number: int) -> None:
    """Many large events pass, wherever the pieces of the body end."""
    body = (LARGE + end) * number
    where = len(LARGE) + cut

    assert read(body[:where], body[where:], content_type="text/event-stream") == body


@pytest.mark.parametrize("sent", [(LARGE, b"a" * 101), (b"a\n" * 1000,), (LARGE, LARGE)])
def test_an_event_that_is_too_large(sent: tuple[bytes, ...]) -> None:
    """A line or an event that does not end is an error, once it is too large."""
    with pytest.raises(httpx2.RemoteProtocolError):
        read(*sent, content_type="text/event-stream")


def test_what_is_no_stream_is_bounded_as_a_whole() -> None:
    """Blank lines are no ends in what is not made of events."""
    with pytest.raises(httpx2.RemoteProtocolError):
        read(LARGE, b"\n\n", LARGE, content_type="application/json")


def test_the_text_of_an_error_is_cut() -> None:
    """Of an error its beginning is enough, and nothing of one that is compressed."""
    assert read(b"no", LARGE, LARGE, status=500) == b"no" + LARGE
    assert read(b"\x1f\x8b no", status=500, content_encoding="gzip") == b""


def test_what_is_compressed_is_not_read() -> None:
    """A compressed answer is an error, however short."""
    with pytest.raises(httpx2.RemoteProtocolError):
        read(b"\x1f\x8b", content_type="text/event-stream", content_encoding="gzip")
