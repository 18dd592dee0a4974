"""Somebody who uses the page: what they do, in their words, by what a page tells everybody."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.chat.serving import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

_people = count(1)
NEW = "New conversation"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person with a browser's tab."""

    page: Page
    name: str

    @property
    def box(self) -> Locator:
        """Where questions are written."""
        return self.page.get_by_label("Message", exact=True)

    @property
    def answer(self) -> Locator:
        """The newest answer, whole: what it says and what stands below."""
        return self.page.get_by_role("article", name="Answer").last

    @property
    def heard(self) -> list[str]:
        """What a screen reader was given to read since the last question."""
        return self.page.locator("#live p").all_inner_texts()

    def button(self, name: str) -> Locator:
        """A button that is shown, by its name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def choose(self, model: str) -> None:
        """Choose who answers."""
        self.page.get_by_label("Model", exact=True).select_option(f"openai: {model}")

    def send(self, text: str) -> None:
        """Write something and send it."""
        self.box.fill(text)
        self.button("Send").click()

    def ask(self, text: str) -> str:
        """Ask, and wait for the whole answer."""
        whole = self.page.locator('article[aria-busy="false"] .facts')
        before = whole.count()
        self.send(text)
        whole.nth(before).wait_for()
        self.answered()
        return self.answer.locator(".text").inner_text()

    def answered(self) -> None:
        """Wait until no answer is under way."""
        self.page.locator('article[aria-busy="true"]').wait_for(state="detached")
        self.button("Send").wait_for()

    def log_in(self, password: str = PASSWORD) -> None:
        """Log in, from the form that is shown."""
        self.page.get_by_label("User name or email").fill(self.name)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.button("Log in").click()


def registered(tab: Callable[..., Page], address: str, **options: Any) -> Visitor:  # noqa: ANN401 - a context's
    """Open the page in a new tab and register somebody."""
    visitor = Visitor(tab(address, **options), f"visitor-{next(_people)}")
    visitor.button("Register").click()
    visitor.page.get_by_label("User name", exact=True).fill(visitor.name)
    visitor.page.get_by_label("Email", exact=True).fill(f"{visitor.name}@example.org")
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.button("Register").first.click()
    visitor.page.locator("#box:focus, #title:focus").wait_for()  # the last thing that loading does
    return visitor
