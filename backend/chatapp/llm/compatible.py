"""
Adapter for any endpoint with OpenAI's chat completions, through OpenAI's SDK.

The SDK sends a request again while nothing has arrived; a broken stream is not continued. The
chunks are read as plain JSON, because the SDK does not validate them. An answer is complete once a
chunk has a `finish_reason`; later chunks can only add the number of tokens. Of the endpoint's
errors only kind and status are logged.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream

from chatapp.llm.base import Ending, ProviderError, can_be_kept
from chatapp.llm.bounds import bound, retry_after

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from chatapp.llm.base import Ask, Trouble

NAME = "openai"
_LOGGER = logging.getLogger("chatapp.llm")
_REDIRECTS, _SERVER_ERROR = range(300, 400), 500
_NAME_CHARACTERS = 200
_REASON_CHARACTERS = 50
_MOST_TOKENS = 100_000_000
_AFTER_THE_END_S = 5.0
"""Seconds to wait for the number of tokens once the answer is complete."""
_UNREACHABLE: tuple[Trouble, str] = ("unreachable", "The model's provider cannot be reached.")
_BROKEN: tuple[Trouble, str] = ("broken", "The provider's answer broke off.")
_TOO_LONG = re.compile(
    r"context[_ ](length|size|window)|maximum context|prompt is too long|too many tokens",
    re.IGNORECASE,
)
"""Codes and words of providers for a prompt that is too long."""


class CompatibleModel:
    """
    A model of an endpoint.

    Args:
        base_url: of the endpoint.
        key: for the endpoint.
        timeout: seconds that it may be silent.
        retries: how often a request is sent again.
    """

    def __init__(self, base_url: str, key: str, timeout: float, retries: int) -> None:
        # A redirect would take the conversation, if not the key, to somebody else.
        http = openai.DefaultAsyncHttpxClient(
            follow_redirects=False, event_hooks={"response": [bound]}
        )
        self._client = AsyncOpenAI(
            base_url=base_url,
            api_key=key,
            timeout=timeout,
            max_retries=retries,
            http_client=http,
            default_headers={"accept-encoding": "identity"},
        )

    async def stream(self, ask: Ask) -> AsyncGenerator[str | Ending, None]:
        """Yield the endpoint's answer."""
        with _translated(_UNREACHABLE):
            chunks = await self._client.post(
                "/chat/completions",
                cast_to=object,
                body=_request(ask),
                stream=True,
                stream_cls=AsyncStream[object],
            )
        reading = _Reading()
        with _translated(_BROKEN):
            async with chunks:
                while not reading.finish_reason:
                    if text := reading.text_of(await anext(chunks)):
                        yield text
                await _read_on(chunks, reading)
        yield reading.ending

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


async def _read_on(chunks: AsyncStream[object], reading: _Reading) -> None:
    """Read what follows a complete answer; errors and silence there are ignored."""
    try:
        async with asyncio.timeout(_AFTER_THE_END_S):
            async for chunk in chunks:
                if reading.text_of(chunk):
                    raise ProviderError("broken", "The answer goes on after its end.")
    except (
        TimeoutError,
        openai.OpenAIError,
        OSError,
        ValueError,
        TypeError,
        RecursionError,
    ) as error:
        _LOGGER.info("A whole answer was followed by %s.", type(error).__name__)


class _Reading:
    """The content of the chunks so far, without the text."""

    def __init__(self) -> None:
        self.finish_reason = ""
        self._refusal = ""
        self._name: str | None = None
        self._used: tuple[int | None, int | None, int | None] = (None, None, None)

    def text_of(self, chunk: object) -> str:
        """
        Read a chunk, and return the text that it adds.

        Raises:
            ValueError: it has a text that cannot be stored.
            TypeError: it is not a chunk.
        """
        if not isinstance(chunk, dict):
            raise TypeError("a chunk that is no object")
        self._name = self._name or _name(chunk.get("id"))
        self._take_usage(chunk.get("usage"))
        choices = chunk.get("choices")
        if choices in (None, []):
            return ""
        if not isinstance(choices, list) or not isinstance(choices[0], dict):
            raise TypeError("choices that are no list of objects")
        choice = choices[0]
        said = choice.get("delta") or choice.get("message") or {}
        if not isinstance(said, dict):
            raise TypeError("a delta that is no object")
        self._refusal += _kept_text(said.get("refusal"))
        reason = choice.get("finish_reason")
        if reason is not None:
            self.finish_reason = self.finish_reason or _reason(reason)
        return _kept_text(said.get("content"))

    def _take_usage(self, used: object) -> None:
        if isinstance(used, dict):
            sent, written = _count(used.get("prompt_tokens")), _count(used.get("completion_tokens"))
            self._used = (sent, written, _count(used.get("total_tokens")))

    @property
    def ending(self) -> Ending:
        """Return finish reason, usage and id, as far as the provider sent them."""
        return Ending(*self._used, self._name, self.finish_reason, self._refusal)


def _request(ask: Ask) -> dict[str, Any]:
    request: dict[str, Any] = {
        "model": ask.model,
        "messages": [turn._asdict() for turn in ask.turns],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if ask.temperature is not None:
        request["temperature"] = float(ask.temperature)
    if ask.response_format == "json":
        request["response_format"] = _json_format(ask.response_schema)
    return request


def _json_format(schema: str | None) -> dict[str, Any]:
    if schema is None:
        return {"type": "json_object"}
    wanted = {"name": "answer", "schema": json.loads(schema), "strict": False}
    return {"type": "json_schema", "json_schema": wanted}


def _kept_text(given: object) -> str:
    """Return a piece of text; empty for null."""
    if given is None:
        return ""
    if not can_be_kept(given):
        raise ValueError("a piece that cannot be kept")
    return given


def _reason(given: object) -> str:
    """Return why the answer ended; some providers send `error` where it failed."""
    if not can_be_kept(given) or not 0 < len(given) <= _REASON_CHARACTERS or given == "error":
        raise ValueError("an end that is none")
    return given


def _name(given: object) -> str | None:
    """Return a provider's id of an answer; None for one that cannot be stored."""
    return given if can_be_kept(given) and 0 < len(given) <= _NAME_CHARACTERS else None


def _count(given: object) -> int | None:
    """Return a number of tokens; None for an invalid one."""
    return given if type(given) is int and 0 <= given <= _MOST_TOKENS else None


@contextmanager
def _translated(lost: tuple[Trouble, str]) -> Iterator[None]:
    """Raise the SDK's errors as `ProviderError`; `lost` is the trouble of a lost connection."""
    try:
        yield
    except StopAsyncIteration:
        raise ProviderError(*_BROKEN) from None
    except openai.APITimeoutError as error:
        raise ProviderError("timeout", "The model's provider did not answer in time.") from error
    except openai.APIStatusError as error:
        _LOGGER.warning("The provider answered %s (%s).", error.status_code, error.code)
        raise _refusal(error) from error
    except openai.APIConnectionError as error:
        raise ProviderError(*lost) from error
    except openai.APIError as error:
        raise _too_long() if _is_too_long(error) else ProviderError(*_BROKEN) from error
    except openai.OpenAIError as error:
        raise ProviderError(*_BROKEN) from error
    except (OSError, ValueError, TypeError, LookupError, RecursionError, httpx2.HTTPError) as error:
        raise ProviderError("broken", "The provider's answer cannot be read.") from error


def _refusal(error: openai.APIStatusError) -> ProviderError:
    wait = retry_after(error.response.headers)
    if isinstance(error, openai.RateLimitError):
        return ProviderError("busy", "The model's provider takes no more requests now.", wait)
    if error.status_code >= _SERVER_ERROR:
        detail = f"The model's provider failed with {error.status_code}."
        return ProviderError("unreachable", detail, wait)
    if _is_too_long(error):
        return _too_long()
    if error.status_code in _REDIRECTS:
        detail = f"The provider redirects ({error.status_code}), which is not followed."
        return ProviderError("refused", detail)
    return ProviderError("refused", f"The provider refused the request ({error.status_code}).")


def _is_too_long(error: openai.APIError) -> bool:
    return any(_TOO_LONG.search(str(told)) for told in (error.code, error.type, error.message))


def _too_long() -> ProviderError:
    detail = (
        "The conversation does not fit the model's context any more; summarise its beginning "
        "(POST …/summaries), and ask again."
    )
    return ProviderError("too-long", detail)
