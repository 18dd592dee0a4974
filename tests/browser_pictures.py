"""
The pictures of the page in docs/images: run `python -m tests.browser_pictures`, and look at them.

The service is a real one, on an embedded PostgreSQL; the model is a made-up one, with answers that
look like an answer. The pictures were made smaller with 128 colours and oxipng.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route
from tests.chat.serving import PASSWORD, chat, serving

from rung import embedded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.sync_api import Browser, Page
    from starlette.requests import Request

IMAGES = Path(__file__).parents[1] / "docs" / "images"
_PRICES = {"prompt": "0.4", "completion": "1.6"}
_SIZE = {"width": 1180, "height": 760}
_PHONE = {"width": 375, "height": 760}
_ANSWER = """Build it **concurrently**, alone in its migration file:

```sql
CREATE INDEX CONCURRENTLY messages_model_idx
    ON messages (conversation_id, model);
```

It takes longer than a plain build, and two things follow from that:

- writes to `messages` go on while it is built;
- it cannot run in a transaction, so a failure leaves an index marked `INVALID`.

Drop such an index with `DROP INDEX CONCURRENTLY` before you try again."""
_ASKED = "Which index do I need to list a conversation's messages by model?"
_TITLES = ("A trip to Kraków", "Reading list for October", "Why is the build slow?")


async def _complete(request: Request) -> StreamingResponse:
    await request.body()
    return StreamingResponse(_chunks(_ANSWER), media_type="text/event-stream")


async def _chunks(text: str) -> AsyncIterator[str]:
    for piece in re.findall(r"\s*\S+", text):
        yield _chunk(choices=[{"index": 0, "delta": {"content": piece}, "finish_reason": None}])
        await asyncio.sleep(0.003)
    yield _chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
    used = {"prompt_tokens": 212, "completion_tokens": 131, "total_tokens": 343}
    yield _chunk(choices=[], usage=used)
    yield "data: [DONE]\n\n"


def _chunk(**facts: Any) -> str:  # noqa: ANN401 - JSON
    usual = {"id": "gen-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps({**usual, **facts})}\n\n"


@contextmanager
def _service() -> Iterator[str]:
    model = Starlette(routes=[Route("/v1/chat/completions", _complete, methods=["POST"])])
    with embedded.start() as server, serving(model) as provider:
        settings = {
            "provider": "openai",
            "openai_base_url": f"{provider}/v1",
            "openai_api_key": "none",
            "openai_models": {"atlas-2": _PRICES},
        }
        with chat(server.url("postgres"), **settings) as client:
            ada = client.logged_in("ada")
            for title in reversed(_TITLES):
                path = ada.conversation(title=title)
                ada("POST", f"{path}/messages", content="An index?")
            yield str(client.http.base_url)


def _enter(browser: Browser, address: str, **options: Any) -> Page:  # noqa: ANN401 - Playwright's
    page = browser.new_context(**options).new_page()
    page.goto(address)
    page.get_by_label("User name or email").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Message", exact=True).wait_for()
    return page


def _ask(page: Page, question: str) -> None:
    page.get_by_label("Message", exact=True).fill(question)
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Send", exact=True).wait_for()
    page.get_by_text(re.compile("tokens")).last.wait_for()


def main(folder: Path) -> None:
    """Take them."""
    folder.mkdir(parents=True, exist_ok=True)
    with _service() as address, sync_playwright() as playwright:
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program)
        light = _enter(browser, address, viewport=_SIZE, color_scheme="light")
        _ask(light, _ASKED)
        light.screenshot(path=folder / "page-light.png")
        dark = _enter(browser, address, viewport=_SIZE, color_scheme="dark")
        dark.get_by_role("link", name=re.compile("Which index")).click()
        dark.get_by_role("button", name=re.compile("Schema")).click()
        dark.get_by_role("cell", name="add_conversation_summaries").wait_for()
        dark.screenshot(path=folder / "page-dark.png")
        phone = _enter(browser, address, viewport=_PHONE, device_scale_factor=2, has_touch=True)
        phone.get_by_role("button", name="Conversations").click()
        phone.get_by_role("link", name=re.compile("Which index")).click()
        phone.get_by_text(re.compile("tokens")).last.wait_for()
        phone.screenshot(path=folder / "page-phone.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else IMAGES)
