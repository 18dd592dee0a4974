"""
The page in a real browser: what people do with it, by hand, by keyboard alone, and on a phone.

Each tab fails its test where the browser complains: see `tests.browser`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error
from tests.browser_visitor import NEW, Visitor, registered
from tests.chat.endpoint import KEY, endpoint
from tests.chat.serving import PASSWORD, chat, settings, speaking

from chatapp.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page
    from tests.chat.endpoint import Endpoint
    from tests.servers import Database

    Tab = Callable[..., Page]

pytestmark = pytest.mark.slow

PHONE = {"viewport": {"width": 375, "height": 667}, "has_touch": True, "is_mobile": True}
LONG = "Pneumonoultramicroscopicsilicovolcanoconiosis" * 4
MODELS = ("fine", "waiting", "endless", "torn", "busy")
WITH_CODE = f"Look:\n\n```sql\nSELECT {LONG};\n```"
SHOW = """async (text) => {
    const { show } = await import("./page/text.js");
    const made = document.createElement("div");
    document.body.append(made);
    show(made, text);
    return [...made.children].map((one) => `${one.tagName} ${one.textContent}`);
}"""
READ = """async ([bytes, size]) => {
    const { events } = await import("./page/events.js");
    const body = new ReadableStream({
        start(to) {
            for (let at = 0; at < bytes.length; at += size)
                to.enqueue(new Uint8Array(bytes.slice(at, at + size)));
            to.close();
        },
    });
    const read = [];
    for await (const { name, data } of events(body)) read.push([name, data]);
    return read;
}"""


@pytest.fixture(scope="module")
def provider() -> Iterator[Endpoint]:
    """Serve a model that waits, fails and never ends, as its name says."""
    with endpoint() as made:
        yield made


@pytest.fixture(scope="module")
def address(chat_database: Database, provider: Endpoint) -> Iterator[str]:
    """Serve the page; the offline model answers where no other is chosen."""
    offered = {
        "openai_base_url": provider.url,
        "openai_api_key": KEY,
        "openai_models": dict.fromkeys(MODELS),
        "provider_retries": 0,
    }
    with chat(chat_database.conninfo, **offered) as client:
        yield str(client.http.base_url)


@pytest.fixture
def ada(tab: Tab, address: str) -> Visitor:
    """Somebody who has registered and begins."""
    return registered(tab, address)


# --- asking ----------------------------------------------------------------------------------


def test_register_and_ask(ada: Visitor) -> None:
    """Who registers is in, asks, and sees the answer; the conversation has the question's title."""
    said = ada.ask("Where is the castle?")
    again = ada.ask("And the river?")

    assert said.startswith("You said: Where is the castle?")
    assert again.startswith("You said: And the river?")
    assert ada.page.get_by_role("heading", level=1).inner_text() == "Where is the castle?"
    assert ada.page.get_by_role("link", name="Where is the castle?").count() == 1
    assert "local-1" in ada.answer.inner_text()


def test_an_answer_comes_piece_by_piece(ada: Visitor, provider: Endpoint) -> None:
    """The first piece is shown while the rest is waited for; a screen reader gets it at the end."""
    provider.go = False
    ada.choose("waiting")
    ada.send("Where?")
    ada.page.get_by_text("It is", exact=True).wait_for()
    busy = ada.answer.get_attribute("aria-busy"), ada.button("Stop the answer").is_visible()
    provider.go = True
    ada.answered()

    assert busy == ("true", True)
    assert ada.answer.locator(".text").inner_text() == "It is on the hill."
    assert ada.heard == ["It is on the hill."]


def test_stop(ada: Visitor) -> None:
    """An answer that is stopped ends at once; what has come is kept, and there after a reload."""
    ada.choose("endless")
    ada.send("Go on.")
    ada.page.get_by_text("and and and").wait_for()
    ada.button("Stop the answer").click()
    ada.answered()
    shown = ada.answer.locator(".text").inner_text()
    ada.page.reload()
    ada.answer.wait_for()

    assert shown.startswith("and and")
    assert ada.answer.locator(".text").inner_text() == shown


def test_regenerate(ada: Visitor) -> None:
    """The newest answer alone can be replaced; the new one is there in its place, also later."""
    ada.ask("Where?")
    ada.ask("Really?")
    offered = ada.button("Regenerate").count()
    ada.choose("fine")
    ada.button("Regenerate").press("Enter")
    ada.page.get_by_text("It is on the hill.").first.wait_for()
    ada.answered()
    left = focused(ada.page)[0]
    ada.page.reload()
    ada.answer.wait_for()

    assert (offered, left) == (1, "box")
    assert ada.page.get_by_role("article", name="Answer").count() == 2
    assert ada.answer.locator(".text").inner_text() == "It is on the hill."


def test_an_answer_that_goes_on_without_the_page(ada: Visitor, provider: Endpoint) -> None:
    """Whoever reloads the page while an answer is under way sees it when it has come."""
    provider.go = False
    ada.choose("waiting")
    ada.send("Where?")
    ada.page.get_by_text("It is", exact=True).wait_for()
    ada.page.reload()
    ada.page.get_by_text("No answer so far").wait_for()
    provider.go = True
    ada.page.get_by_text("It is on the hill.").first.wait_for()

    assert ada.page.get_by_role("article", name="You").count() == 1


def test_a_question_without_an_answer(ada: Visitor) -> None:
    """Where the model fails the page says why, and the question can be asked again, of another."""
    ada.choose("busy")
    ada.send("Where?")
    ada.button("Ask again").wait_for()
    why = ada.answer.inner_text()
    ada.choose("fine")
    ada.button("Ask again").click()
    ada.answered()

    assert "takes no more requests" in why
    assert ada.answer.locator(".text").inner_text() == "It is on the hill."
    assert ada.page.get_by_role("article", name="You").count() == 1


def test_what_a_model_writes_is_text(ada: Visitor) -> None:
    """Markup in an answer is shown as it was written, and makes no element."""
    evil = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
    said = ada.ask(evil)

    assert evil in said
    assert ada.page.locator("#messages img, #messages script").count() == 0


def test_code_is_shown_as_code(tab: Tab, address: str) -> None:
    """A fenced block becomes a block of code with its language, that the keyboard can scroll."""
    page = tab(address)
    page.evaluate(SHOW, WITH_CODE)
    block = page.get_by_role("region", name="Code, sql")

    assert block.inner_text() == f"SELECT {LONG};"
    assert block.get_attribute("tabindex") == "0"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("one\ntwo\n\nthree", ["P one\ntwo", "P three"]),
        ("a `b` **c**", ["P a b c"]),
        ("# Top\ntext", ["P Top", "P text"]),
        ("- a\n- b\n\n- c", ["UL abc"]),
        ("1. a\n2. b\ntext", ["OL ab\ntext"]),
        ("```\nnot ended", ["FIGURE codeCopynot ended"]),
        ("~~~py\n```\n~~~\nafter", ["FIGURE pyCopy```", "P after"]),
        ("<b>no</b> [x](javascript:y)", ["P <b>no</b> [x](javascript:y)"]),
        ("", []),
    ],
)
def test_a_text_is_cut_into_blocks(tab: Tab, address: str, text: str, kinds: list[str]) -> None:
    """Paragraphs, lists and code are told apart, also where a part is all that has come."""
    assert tab(address).evaluate(SHOW, text) == kinds


def test_events_are_read_however_they_are_cut(tab: Tab, address: str) -> None:
    """The pieces that a stream comes in, comments and line ends make no difference."""
    sent = ': hello\n\nevent: delta\r\ndata: {"text":\r\ndata: "ö"}\r\n\r\nevent: end\ndata: 1\n\n'
    page = tab(address)
    read = [page.evaluate(READ, [list(sent.encode()), size]) for size in (1, 2, 7, 1000)]

    assert read == [[["delta", {"text": "ö"}], ["end", 1]]] * 4


# --- conversations ---------------------------------------------------------------------------


def test_rename_and_delete(ada: Visitor) -> None:
    """A conversation takes another title, also on the list, and goes after a question."""
    ada.ask("Where?")
    ada.button("Rename").click()
    ada.page.get_by_label("Title").fill("Kraków")
    ada.button("Save").click()
    ada.page.get_by_role("link", name="Kraków").wait_for()
    ada.button("Delete").click()
    ada.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    ada.page.get_by_text("Nothing here yet").wait_for()

    assert ada.page.get_by_role("heading", level=1).inner_text() == NEW


def test_the_address_is_the_conversations(ada: Visitor) -> None:
    """A reload and the browser's own buttons lead to where one was."""
    ada.ask("The first one?")
    ada.button(NEW).click()
    ada.ask("The second one?")
    ada.page.go_back()
    ada.page.go_back()
    ada.page.get_by_role("heading", name="The first one?").wait_for()
    ada.page.reload()
    ada.page.get_by_role("heading", name="The first one?").wait_for()

    assert "The first one?" in ada.answer.inner_text()


def test_summaries(ada: Visitor) -> None:
    """A summary is made and is active; the line below what it covers goes where none is active."""
    ada.ask("Where?")
    ada.button("Summaries").click()
    ada.button("Summarise now").click()
    ada.page.get_by_role("dialog").get_by_text("Active", exact=True).wait_for()
    ada.page.get_by_text("Summarised up to here").wait_for(state="attached")
    ada.button("Send all messages").click()
    ada.button("Use this one").wait_for()
    ada.button("Close").click()

    assert ada.page.get_by_text("Summarised up to here").count() == 0


def test_usage_and_schema(ada: Visitor) -> None:
    """The two panels show what was used, and which versions the database has had."""
    ada.ask("Where?")
    ada.button("Usage").click()
    used = ada.page.get_by_role("row").filter(has_text="local-1").inner_text()
    ada.page.keyboard.press("Escape")
    ada.page.get_by_role("button", name=re.compile("Schema")).click()
    ada.page.get_by_role("cell", name="initial_schema").wait_for()
    panel = ada.page.get_by_role("dialog").inner_text()

    assert re.search(r"local-1\s+1\s+\d+", used)
    assert re.search(r"Version\s+\d+\s+State\s+current", panel)


# --- going in and out ------------------------------------------------------------------------


def test_a_wrong_password(ada: Visitor, tab: Tab, address: str) -> None:
    """The problem's own words are shown, and the password can be typed again at once."""
    there = Visitor(tab(address), ada.name)
    there.log_in("another one")
    there.page.get_by_role("alert").get_by_text("the password is another").wait_for()

    assert there.page.evaluate("document.activeElement.id") == "entry-password"


def test_a_field_that_does_not_fit(tab: Tab, address: str) -> None:
    """What is wrong with a field stands beside it, and is read with it."""
    page = tab(address)
    page.get_by_role("button", name="Register").click()
    page.get_by_label("User name", exact=True).fill("x")
    page.get_by_label("Email", exact=True).fill("x@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Register").first.click()
    name = page.locator('#entry-name[aria-invalid="true"]')
    name.wait_for()

    assert name.get_attribute("aria-describedby") == "entry-name-fault"
    assert page.locator("#entry-name-fault").inner_text() != ""


def test_a_token_that_expires_costs_no_draft(ada: Visitor) -> None:
    """Whoever has to log in again finds the conversation and what was written."""
    ada.ask("Where?")
    ada.page.evaluate("sessionStorage.setItem('chat.token', 'not any more')")
    ada.send("Half a thought")
    ada.page.get_by_text("Your session has ended").wait_for()
    ada.log_in()
    ada.box.wait_for()

    assert ada.box.input_value() == "Half a thought"
    assert ada.page.get_by_role("heading", level=1).inner_text() == "Where?"
    assert ada.page.get_by_role("article", name="You").count() == 1


def test_another_password(ada: Visitor, tab: Tab, address: str) -> None:
    """The password is changed; this tab goes on, and any other has to log in with the new one."""
    other = Visitor(tab(address), ada.name)
    other.log_in()
    other.box.wait_for()
    ada.button("Password").click()
    ada.page.get_by_label("Current password").fill(PASSWORD)
    ada.page.get_by_label("New password").fill("staple horse correct")
    ada.button("Change it").click()
    ada.page.get_by_role("dialog").wait_for(state="detached")
    said = ada.ask("Still here?")
    other.button("Usage").click()
    other.page.get_by_text("Your session has ended").wait_for()
    other.log_in("staple horse correct")
    other.box.wait_for()

    assert said.startswith("You said: Still here?")


def test_somebody_else_finds_nothing(ada: Visitor, tab: Tab, address: str) -> None:
    """Who logs in where another one was sees nothing of theirs, sent or unsent."""
    ada.ask("My secret?")
    ada.box.fill("another secret")
    bob = registered(tab, address).name
    ada.page.evaluate("sessionStorage.setItem('chat.token', 'not any more')")
    ada.button("Usage").click()
    ada.page.get_by_text("Your session has ended").wait_for()
    Visitor(ada.page, bob).log_in()
    ada.page.get_by_text("Nothing here yet").wait_for()

    assert "secret" not in ada.page.locator("body").inner_text()
    assert ada.box.input_value() == ""


def test_who_leaves_leaves_nothing(ada: Visitor) -> None:
    """After logging out the tab holds no token, no draft and no message."""
    ada.ask("My secret?")
    ada.box.fill("another secret")
    ada.button("Log out").click()
    ada.page.get_by_role("heading", name="Log in").wait_for()

    assert ada.page.evaluate("sessionStorage.length") == 0
    assert "secret" not in ada.page.content()


def test_a_service_that_is_not_ready(tab: Tab) -> None:
    """While the database is away the page says so, and waits."""
    app = create_app(settings("postgresql://127.0.0.1:1/x?connect_timeout=1"))
    with speaking(app) as client:
        page = tab(str(client.http.base_url))
        page.get_by_text("This page waits for it").wait_for()

        assert page.get_by_role("status").inner_text().startswith("The service is not ready")
        assert page.get_by_role("heading").count() == 0


# --- for everybody ---------------------------------------------------------------------------


def focused(page: Page) -> tuple[str, bool]:
    """What has the focus, and whether it can be seen that it has."""
    name, seen = page.evaluate(
        """() => {
            const one = document.activeElement, frame = one.closest(".frame");
            const look = getComputedStyle(one), around = frame && getComputedStyle(frame);
            const seen = look.outlineStyle !== "none" || (around && around.boxShadow !== "none");
            const name = one.id || one.getAttribute("aria-label") || one.textContent;
            return [one === document.body ? "body" : name, Boolean(seen)];
        }"""
    )
    return str(name), bool(seen)


def test_by_keyboard_alone(ada: Visitor) -> None:
    """Asking, and everything that the page has, is reached by Tab; the focus is always seen."""
    keys = ada.page.keyboard
    keys.type("Where is it?")
    keys.press("Enter")
    ada.answer.get_by_text("tokens").wait_for()
    ada.answered()
    first = focused(ada.page)
    walked = []
    for _ in range(40):
        keys.press("Tab")
        walked.append(focused(ada.page))
        if walked[-1] == first:
            break
    names = [name for name, _ in walked]

    assert first[0] == "box"
    assert names[-1] == "box"  # all the way round: nothing holds the focus
    assert {"new", "open-usage", "open-schema", "leave", "open-rename", "send"} <= set(names)
    assert [name for name, seen in walked if not seen and name != "body"] == []


def test_the_dialogs_by_keyboard(ada: Visitor) -> None:
    """A dialog takes the focus, Escape closes it, and the focus is where it was."""
    keys = ada.page.keyboard
    ada.button("Usage").focus()
    keys.press("Enter")
    inside = ada.page.evaluate("document.activeElement.closest('dialog')?.id")
    keys.press("Escape")

    assert inside == "usage"
    assert focused(ada.page)[0] == "open-usage"


def test_the_skip_link(ada: Visitor) -> None:
    """The first stop of the keyboard is seen once it has the focus, and leads to the box."""
    first = ada.page.locator("a:visible, button:visible").first
    first.focus()
    top = ada.page.evaluate("document.activeElement.getBoundingClientRect().top")
    ada.page.keyboard.press("Enter")

    assert (first.inner_text(), top >= 0) == ("Skip to the message box", True)
    assert focused(ada.page)[0] == "box"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(tab: Tab, address: str, scheme: str) -> None:
    """Nothing is wrong with any view, as axe sees it: names, roles and contrast."""
    page = tab(address, color_scheme=scheme, bypass_csp=True)
    found = [faults(page)]
    page.close()
    ada = registered(tab, address, color_scheme=scheme, bypass_csp=True)
    found.append(faults(ada.page))
    ada.ask("Where is the castle?")
    found.append(faults(ada.page))
    for name in ("Summaries", "Usage", "Schema", "Password"):
        ada.page.get_by_role("button", name=re.compile(name)).click()
        ada.page.locator('dialog[open]:not([aria-busy="true"])').wait_for()
        found.append(faults(ada.page))
        ada.button("Close").click()

    assert [one for one in found if one] == []


def faults(page: Page) -> list[Any]:
    """What axe finds wrong, each with where."""
    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]


def test_light_and_dark(tab: Tab, address: str) -> None:
    """The page follows what the system is set to."""
    grounds = []
    for scheme in ("light", "dark"):
        page = tab(address, color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    light, dark = (sum(map(int, re.findall(r"\d+", ground)[:3])) for ground in grounds)

    assert light > 600
    assert dark < 150


def too_wide(page: Page) -> bool:
    """Whether a page has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_on_a_phone(tab: Tab, address: str) -> None:
    """Nothing is wider than a phone, whatever is shown; the list comes over it and goes."""
    ada = registered(tab, address, **PHONE)
    wide = [too_wide(ada.page)]
    ada.send(WITH_CODE)
    ada.answered()
    wide.append(too_wide(ada.page))
    ada.button("Conversations").click()
    listed = ada.button(NEW).is_visible()
    wide.append(too_wide(ada.page))
    ada.button("Usage").click()
    wide.append(too_wide(ada.page))
    ada.button("Close").click()
    ada.button("Close the list").click()

    assert wide == [False] * 4
    assert listed
    assert not ada.button(NEW).is_visible()
    assert focused(ada.page)[0] == "side-open"


# --- the policy, and the API's page ----------------------------------------------------------


def test_the_policy_is_enforced(browser: Browser, address: str) -> None:
    """Markup from a string, script of another host and script in a document are refused."""
    page = browser.new_page()
    page.goto(address)
    with page.expect_console_message(lambda one: "Content Security Policy" in one.text):
        page.evaluate("fetch('http://127.0.0.2/').catch(() => {})")
    for evil in (
        "document.body.innerHTML = '<b>x</b>'",
        "document.body.setAttribute('onclick', 'x')",
    ):
        with pytest.raises(Error, match="Trusted"):
            page.evaluate(evil)
    page.context.close()


def test_the_apis_page(tab: Tab, address: str) -> None:
    """Swagger UI shows each route and tries one, from files that come with the service."""
    page = tab(f"{address}/docs")
    page.get_by_role("button", name="Authorize").click()
    page.get_by_label("auth-bearer-value").fill("no token")
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").last.click()
    page.get_by_role("button", name=re.compile("schema")).first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.get_by_text("urn:chatapp:problem:not-logged-in").first.wait_for()

    assert page.locator(".opblock").count() > 15
