"""
The behaviours of providers, as one table: what each sends, the client's response, the stored rows.

The table of the service's README is this one, row by row.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

TEAR = "tear"
"""Among the parts of a body: the connection is torn here."""
ENDLESS = "endless"
"""Among the parts of a body: the part before comes again and again; after a pause, pieces do."""
KEY = "sk-the-key-of-the-tests"
DONE = b"data: [DONE]\n\n"
USED = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 20}
EVENTS = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}


def event(**facts: Any) -> bytes:  # noqa: ANN401 - JSON
    """An event with a chunk in it."""
    usual = {"id": "gen-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: %s\n\n" % json.dumps({**usual, **facts}).encode()


def delta(finish: str | None = None, **said: object) -> bytes:
    """An event with one choice, which says something, is the last, or both."""
    return event(choices=[{"index": 0, "delta": said, "finish_reason": finish}])


def text(*pieces: str) -> tuple[bytes, ...]:
    """Events with the pieces of an answer."""
    return tuple(delta(content=piece) for piece in pieces)


def whole(*pieces: str, finish: str = "stop", usage: object = USED) -> Parts:
    """All of an answer."""
    return (*text(*pieces), delta(finish), event(choices=[], usage=usage), DONE)


def failed(code: str, message: str = f"no, {KEY}") -> Parts:
    """An error as a body."""
    return (json.dumps({"error": {"message": message, "code": code}}).encode(),)


Parts = tuple[bytes | float | str, ...]
HILL = text("It is ", "on the hill.")
END = delta("stop")
AT_ONCE = {"retry-after-ms": "1"}
"""How a test's endpoint asks to be tried again."""


class Row(NamedTuple):
    """One behaviour; `told` and `kept` are what the README says of it."""

    does: str
    told: str
    kept: str
    sends: Parts
    headers: Mapping[str, str] = EVENTS
    status: int = 200
    place: str = "usual"
    """Which service is asked: with the usual patience, with little, or of a provider elsewhere."""


A_STOP = "the answer, `stop`"
NOTHING = "the question"
BILLED = "the question, and a bill"
BROKEN = "502 `provider-broken`"
REFUSED = "502 `provider-refused`"
AWAY = "502 `provider-unreachable`"
LATE = "504 `provider-timeout`"

ROWS = {
    "fine": Row("a whole answer", "201", A_STOP, whole("It is ", "on the hill.")),
    "no-done": Row("a whole answer without `[DONE]`", "201", A_STOP, (*HILL, END)),
    "comments": Row(
        "comments in between, and lines that end with CR LF",
        "201",
        A_STOP,
        (b": hold on\r\n\r\n", *(one.replace(b"\n", b"\r\n") for one in (*HILL, END)), DONE),
    ),
    "message": Row(
        "the whole in one `message` in place of deltas",
        "201",
        A_STOP,
        (event(choices=[{"message": {"content": "All."}, "finish_reason": "stop"}]), DONE),
    ),
    "slow-start": Row("a first piece that takes its time", "201", A_STOP, (0.3, *HILL, END)),
    "done-alone": Row("`[DONE]` without a `finish_reason`", BROKEN, BILLED, (*HILL, DONE)),
    "no-end": Row("an end without a `finish_reason`", BROKEN, BILLED, HILL),
    "torn": Row("a connection torn between two pieces", BROKEN, BILLED, (HILL[0], TEAR)),
    "torn-line": Row("… in the middle of a line", BROKEN, BILLED, (*HILL, END[:30], TEAR)),
    "torn-letter": Row(
        "… in the middle of a character",
        BROKEN,
        BILLED,
        (*HILL, 'data: {"choices": [{"delta": {"content": "Krak\u00f3'.encode()[:-1], TEAR),
    ),
    "torn-late": Row("… after the `finish_reason`", "201", A_STOP, (*HILL, END, TEAR)),
    "silent": Row("silence", LATE, NOTHING, (60.0,), place="hasty"),
    "silent-then": Row("silence after a piece", LATE, BILLED, (HILL[0], 60.0), place="hasty"),
    "silent-late": Row(
        "silence after the `finish_reason`", "201", A_STOP, (*HILL, END, 60.0), place="hasty"
    ),
    "slow": Row("pieces, but no end in time", LATE, BILLED, (HILL[0], 0.5, ENDLESS), place="hasty"),
    "busy": Row("429", "503 `provider-busy`", NOTHING, failed("no"), JSON | AT_ONCE, 429),
    "busy-until": Row(
        "429 with `Retry-After: 7`",
        "503 `provider-busy`, `Retry-After: 7`",
        NOTHING,
        failed("no"),
        JSON | {"retry-after": "7"},
        429,
    ),
    "down": Row("500", AWAY, NOTHING, failed("no"), JSON | AT_ONCE, 500),
    "down-endless": Row(
        "500 with an endless text", AWAY, NOTHING, (b"no " * 20_000, ENDLESS), AT_ONCE, 500
    ),
    "locked": Row("401", REFUSED, NOTHING, failed("no"), JSON, 401),
    "unknown": Row("404", REFUSED, NOTHING, failed("no"), JSON, 404),
    "refusing": Row("400", REFUSED, NOTHING, failed("no"), JSON, 400),
    "full": Row(
        "400 with `context_length_exceeded`",
        "409 `context-too-long`",
        NOTHING,
        failed("context_length_exceeded"),
        JSON,
        400,
    ),
    "full-later": Row(
        "the same as an event",
        "409 `context-too-long`",
        NOTHING,
        (event(error={"message": "no", "code": "context_length_exceeded"}),),
    ),
    "failing": Row(
        "another error as an event",
        BROKEN,
        BILLED,
        (HILL[0], event(error={"message": "no", "code": "overloaded"})),
    ),
    "elsewhere": Row(
        "a redirect, which is not followed",
        REFUSED,
        NOTHING,
        (b"",),
        {"location": "/v1/fine"},
        307,
    ),
    "endless-line": Row(
        "a line without an end", BROKEN, NOTHING, (b"data: ", b"a" * 60_000, ENDLESS)
    ),
    "endless-event": Row(
        "an event without an end", BROKEN, NOTHING, (b"data: %s\n" % (b"a" * 60_000), ENDLESS)
    ),
    "huge": Row("more text than an answer may have", BROKEN, BILLED, text("a" * 1_000_001)),
    "garbled": Row("what is no JSON", BROKEN, BILLED, (HILL[0], b"data: {nonsense\n\n")),
    "deep": Row("JSON that is too deep", BROKEN, NOTHING, (b"data: %s\n\n" % (b"[" * 200_000),)),
    "list": Row("a list in place of an object", BROKEN, NOTHING, (b"data: [1, 2]\n\n", END)),
    "no-choices": Row("chunks without choices", BROKEN, NOTHING, (event(), event(choices=[]))),
    "words": Row("choices that are a text", BROKEN, NOTHING, (event(choices="abc"), END)),
    "number": Row("a piece that is a number", BROKEN, NOTHING, (delta(content=5), END)),
    "nul": Row("a piece with a NUL", BROKEN, NOTHING, (delta(content="a\0b"), END)),
    "half": Row("a piece with half a character", BROKEN, NOTHING, (delta(content="\ud800"), END)),
    "mute": Row("no number of tokens", "201", "the answer, tokens null", whole("Hm.", usage=None)),
    "odd": Row(
        "numbers of tokens below 0, far too large, or no numbers",
        "201",
        "the answer, tokens null",
        whole(
            "Hm.",
            usage={"prompt_tokens": 2**40, "completion_tokens": -1, "total_tokens": "many"},
        ),
    ),
    "length": Row(
        "`finish_reason` `length`", "201", "the answer, `length`", whole("So", finish="length")
    ),
    "filtered": Row(
        "`finish_reason` `content_filter`",
        "201",
        "the answer, `content_filter`",
        whole("So", finish="content_filter"),
    ),
    "filtered-whole": Row(
        "the same without any text",
        "502 `answer-refused`",
        BILLED,
        whole(finish="content_filter"),
    ),
    "calling": Row(
        "`finish_reason` `tool_calls`",
        BROKEN,
        BILLED,
        whole(finish="tool_calls"),
    ),
    "erring": Row("`finish_reason` `error`", BROKEN, BILLED, whole("So", finish="error")),
    "declining": Row(
        "a `refusal` in deltas",
        "502 `answer-refused`",
        BILLED,
        (delta(refusal="I will "), delta(refusal="not."), *whole()),
    ),
    "declining-whole": Row(
        "a `refusal` in a `message`",
        "502 `answer-refused`",
        BILLED,
        (event(choices=[{"message": {"refusal": "No."}, "finish_reason": "stop"}]), DONE),
    ),
    "empty": Row("no text", "502 `answer-empty`", BILLED, whole()),
    "ends-twice": Row("two `finish_reason`s", "201", A_STOP, (*HILL, END, delta("length"), DONE)),
    "goes-on": Row("text after the `finish_reason`", BROKEN, BILLED, (*HILL, END, *HILL, DONE)),
    "page": Row(
        "200 with a web page", BROKEN, NOTHING, (b"<html></html>",), {"content-type": "text/html"}
    ),
    "unstreamed": Row(
        "200 with one JSON document, which is no stream",
        BROKEN,
        NOTHING,
        (b'{"choices": [{"message": {"content": "Hm."}, "finish_reason": "stop"}]}',),
        JSON,
    ),
    "packed": Row(
        "a compressed stream, though none was asked for",
        BROKEN,
        NOTHING,
        (gzip.compress(b"".join((*HILL, END, DONE))),),
        EVENTS | {"content-encoding": "gzip"},
    ),
    "nobody": Row("nobody listens", AWAY, NOTHING, (), place="closed"),
    "untrusted": Row("TLS that cannot be", AWAY, NOTHING, (), place="tls"),
}

FORMS = {
    "fenced": whole("```json\n", '{"city": "Krak\u00f3w"}', "\n```"),
    "chatty": whole("Sure! ", '{"city": "Krak\u00f3w"}'),
    "xml": whole("<city>", "Krak\u00f3w</city>"),
    "bomb": whole('<!DOCTYPE a [<!ENTITY b "c">]><a>', "&b;</a>"),
    "unpriced": whole("It is ", "on the hill."),
    "nameless": (
        event(id="a\0b", choices=[{"delta": {"content": "Hm."}, "finish_reason": "stop"}]),
    ),
}
"""Answers that are whole, and differ in what they say."""
