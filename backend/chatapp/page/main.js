// Puts the page together: who is in, which conversation is open, and what the buttons do.

import { composer, wireComposer } from "./composer.js";
import { addressOf, list, named, showSide, titleOf, wireList } from "./conversations.js";
import { announce, at, confirmed, hush } from "./dom.js";
import { showEntry, wireEntry } from "./entry.js";
import { showVersion, wirePanels } from "./panels.js";
import { wirePassword } from "./password.js";
import { session } from "./session.js";
import { thread, wireThread } from "./thread.js";

const POLL_INTERVAL_MS = 2000;
const ENDED = "Your session has ended. Log in again: what you wrote is still here.";

/** Show what went wrong; a token that expired has its own way. */
function failed(problem) {
  if (problem.status === 401) return;
  if (problem.status === undefined) throw problem; // a fault of this page: the console has it
  composer.tell(problem.message);
}

/** Wait until the service serves, and say meanwhile why it does not. */
async function ready() {
  for (;;) {
    const response = await fetch("ready", { cache: "no-store" }).catch(() => null);
    const state = response?.ok === false ? (await response.json().catch(() => ({}))).state : "";
    at("notice").hidden = response?.ok === true;
    if (response?.ok) return;
    at("notice").textContent = response
      ? `The service is not ready (${state ?? response.status}). This page waits for it.`
      : "The service cannot be reached. This page waits for it.";
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

/** Somebody is in; `another` where it is not the one that was there before. */
async function enter(another) {
  if (another) {
    list.clear();
    history.replaceState(null, "", addressOf(null));
  }
  at("who").textContent = session.name;
  at("app").hidden = at("skip").hidden = false;
  const shown = !another && thread.conversation !== null && thread.id === named();
  showVersion().catch(() => {}); // the panel says what is wrong with it
  try {
    const opened = shown ? null : thread.open(named());
    await Promise.all([opened, list.load(), composer.loadModels()]);
    thread.head(); // its title may have come with the list
  } catch (problem) {
    failed(problem);
  }
  if (session.token) composer.focus();
}

function leave(hint) {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  hush();
  showSide(false, false);
  at("app").hidden = at("skip").hidden = true;
  showEntry(hint);
}

async function goTo(id, moveFocus = true) {
  showSide(false, false);
  if (id !== named()) history.pushState(null, "", addressOf(id));
  list.draw();
  try {
    await thread.open(id);
  } catch (problem) {
    failed(problem);
  }
  if (moveFocus && session.token) composer.focus();
}

function rename(shown) {
  at("rename").hidden = !shown;
  at("title").hidden = shown;
  at("tools").hidden = shown || thread.id === null;
  if (shown) {
    at("rename-text").value = thread.conversation?.title ?? "";
    at("rename-text").select();
  } else if (!at("tools").hidden) at("open-rename").focus();
}

async function remove() {
  const title = titleOf(thread.conversation);
  const text = "Everything that was said in it goes too, and cannot be brought back.";
  if (!(await confirmed(`Delete “${title}”?`, text, "Delete"))) return;
  await thread.delete();
  announce("Deleted.");
  await goTo(null);
}

function wireHead() {
  at("open-rename").addEventListener("click", () => rename(true));
  at("rename-cancel").addEventListener("click", () => rename(false));
  at("rename").addEventListener("keydown", (event) => {
    if (event.key === "Escape") rename(false);
  });
  at("rename").addEventListener("submit", (event) => {
    event.preventDefault();
    const title = at("rename-text").value.trim();
    const done = title ? thread.rename(title) : Promise.resolve();
    done.catch(failed).then(() => rename(false));
  });
  at("open-delete").addEventListener("click", () => remove().catch(failed));
}

function wire() {
  wireEntry((another) => enter(another));
  wireList(failed);
  wireThread();
  wirePanels();
  wirePassword();
  wireHead();
  wireComposer({
    send: () => thread.send().catch(failed),
    stop: () => thread.stop().catch(failed),
  });
  at("new").addEventListener("click", () => goTo(null));
  at("leave").addEventListener("click", () => {
    session.end();
    // All that this page has of somebody goes with it.
    location.assign(location.pathname);
  });
  addEventListener("hashchange", () => goTo(named()));
  // The browser may bring a page back as it was, after its owner has left.
  addEventListener("pageshow", (event) => {
    if (event.persisted && !session.token) location.reload();
  });
  session.onExpired(() => leave(ENDED));
}

wire();
await ready();
if (session.token) await enter(false);
else showEntry();
