"""
A real browser for tests: the system's Chromium, driven by Playwright; nothing is downloaded.

Where there is none, tests that need one are skipped with the reason; with
RUNG_TEST_REQUIRE_BROWSER=1 they fail instead, so that nothing is passed over. A tab that was
opened here fails its test where the browser complained: of a script's error, of something that the
page's policy forbids, or of a request that is answered with an error and was not expected.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_LONGEST_MS = 30_000
_OF_A_STATUS = "the server responded with a status of"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """
    Run one browser for a module's tests.

    While Playwright's synchronous functions are in use an event loop runs in the test's thread, and
    a test of another module could not call `asyncio.run`.
    """
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        _absent("no Chromium: install the package chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _absent("no Playwright: install the package playwright")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program)
        yield running
        running.close()


def _absent(reason: str) -> None:
    if os.environ.get("RUNG_TEST_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def tab(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Give a function that opens a tab of its own: an address, and a context's options."""
    with _tabs(browser) as opened:
        yield opened


@contextmanager
def _tabs(browser: Browser) -> Iterator[Callable[..., Page]]:
    contexts, complaints = [], []

    def complain(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and _OF_A_STATUS not in message.text:
            complaints.append(message.text)

    def opened(address: str, **options: Any) -> Page:  # noqa: ANN401 - Playwright's options
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(_LONGEST_MS)
        page = context.new_page()
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
