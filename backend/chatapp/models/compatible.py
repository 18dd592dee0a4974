"""
Any endpoint that speaks OpenAI's chat completions, through OpenAI's own SDK.

The SDK sends a request again while nothing has come back; a stream that breaks is not taken
up again. The endpoint's own words go to the log by kind and status alone.
"""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import openai
from openai import AsyncOpenAI

from chatapp.models.base import Ending, ProviderError, can_be_kept

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from openai.types.chat import ChatCompletionChunk

    from chatapp.models.base import Ask, Trouble

NAME = "openai"
_LOGGER = logging.getLogger("chatapp.models")
_SERVER_ERROR = 500
_NAME_CHARACTERS = 200
_MOST_TOKENS = 100_000_000
_UNREACHABLE: tuple[Trouble, str] = ("unreachable", "The model's provider cannot be reached.")
_BROKEN: tuple[Trouble, str] = ("broken", "The provider's answer broke off.")


class CompatibleModel:
    """
    Answers from an endpoint.

    Args:
        base_url: where it is.
        key: its key.
        timeout: seconds that it may be silent.
        retries: how often a request is sent again.
    """

    def __init__(self, base_url: str, key: str, timeout: float, retries: int) -> None:
        self._client = AsyncOpenAI(
            base_url=base_url, api_key=key, timeout=timeout, max_retries=retries
        )

    async def stream(self, ask: Ask) -> AsyncGenerator[str | Ending, None]:
        """Answer as the endpoint does."""
        ending = Ending()
        with _translated(_UNREACHABLE):
            chunks = await self._client.chat.completions.create(**_request(ask))
        with _translated(_BROKEN):
            async with chunks:
                async for chunk in chunks:
                    ending = _ending(chunk, ending)
                    if text := _text(chunk):
                        yield text
        yield ending

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


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


def _text(chunk: ChatCompletionChunk) -> str:
    """What a chunk says; the SDK does not check what it hands out, so it may be anything."""
    text = chunk.choices[0].delta.content if chunk.choices else None
    if text is not None and not can_be_kept(text):
        raise ValueError("a piece that cannot be kept")
    return text or ""


def _ending(chunk: ChatCompletionChunk, so_far: Ending) -> Ending:
    name = so_far.generation_id or _name(chunk.id)
    if chunk.usage is None:
        return so_far._replace(generation_id=name)
    used = chunk.usage
    sent, written, total = used.prompt_tokens, used.completion_tokens, used.total_tokens
    return Ending(_count(sent), _count(written), _count(total), name)


def _name(given: object) -> str | None:
    """A provider's name for an answer; what cannot be kept was not said."""
    return given if can_be_kept(given) and 0 < len(given) <= _NAME_CHARACTERS else None


def _count(given: object) -> int | None:
    """A number of tokens; what cannot be one was not said."""
    return given if type(given) is int and 0 <= given <= _MOST_TOKENS else None


@contextmanager
def _translated(lost: tuple[Trouble, str]) -> Iterator[None]:
    """Raise the SDK's errors as ours; `lost` is what a lost connection means here."""
    try:
        yield
    except openai.APITimeoutError as error:
        raise ProviderError("timeout", "The model's provider did not answer in time.") from error
    except openai.APIStatusError as error:
        _LOGGER.warning("The provider answered %s (%s).", error.status_code, error.code)
        raise _refusal(error) from error
    except openai.APIConnectionError as error:
        raise ProviderError(*lost) from error
    except openai.OpenAIError as error:
        raise ProviderError(*_BROKEN) from error
    except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise ProviderError("broken", "The provider's answer cannot be read.") from error


def _refusal(error: openai.APIStatusError) -> ProviderError:
    if isinstance(error, openai.RateLimitError):
        return ProviderError("busy", "The model's provider takes no more requests now.")
    if error.status_code >= _SERVER_ERROR:
        detail = f"The model's provider failed with {error.status_code}."
        return ProviderError("unreachable", detail)
    return ProviderError("refused", f"The provider refused the request ({error.status_code}).")
