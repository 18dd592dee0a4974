// The list of conversations, beside the one that is open.

import { call } from "./api.js";
import { at, el } from "./dom.js";

const PAGE = 30;
const phone = matchMedia("(max-width: 760px)");

/** What a conversation is called where it has no title. */
export const titleOf = (conversation) => conversation?.title || "Untitled";

/** The address of a conversation within the page; without one, that of a new conversation. */
export const addressOf = (id) => (id ? `#/c/${id}` : "#/");

/** The id of the conversation that the address names; null for a new one. */
export const named = () => /^#\/c\/([0-9a-f-]{36})$/.exec(location.hash)?.[1] ?? null;

export const list = {
  items: [],
  next: null,

  /** Load the newest ones. */
  async load() {
    const before = this.items;
    const page = await call("GET", `v1/conversations?limit=${PAGE}`);
    const ids = new Set(page.items.map((one) => one.id));
    const begun = this.items.filter((one) => !before.includes(one) && !ids.has(one.id));
    this.items = [...begun, ...page.items];
    this.next = page.next;
    this.draw();
  },

  async loadMore() {
    const page = await call("GET", `v1/conversations?limit=${PAGE}&cursor=${this.next}`);
    const first = page.items[0]?.id;
    this.items = [...this.items, ...page.items.filter((one) => !this.find(one.id))];
    this.next = page.next;
    this.draw();
    at("conversations").querySelector(`[href="${addressOf(first)}"]`)?.focus();
  },

  find(id) {
    return this.items.find((one) => one.id === id);
  },

  /** Put one that is new, or was changed, in its place; `first` where something was said in it. */
  put(conversation, first = false) {
    const others = this.items.filter((one) => one.id !== conversation.id);
    const place = this.items.findIndex((one) => one.id === conversation.id);
    if (first || place === -1) this.items = [conversation, ...others];
    else this.items[place] = conversation;
    this.draw();
  },

  remove(id) {
    this.items = this.items.filter((one) => one.id !== id);
    this.draw();
  },

  clear() {
    this.items = [];
    this.next = null;
    this.draw();
  },

  draw() {
    const focused = document.activeElement?.getAttribute("href");
    const open = named();
    const links = this.items.map((one) => {
      const here = one.id === open ? "page" : null;
      return el("a", { href: addressOf(one.id), "aria-current": here }, titleOf(one));
    });
    at("conversations").replaceChildren(...links.map((link) => el("li", {}, link)));
    links.find((link) => link.getAttribute("href") === focused)?.focus();
    at("no-conversations").hidden = this.items.length > 0;
    at("more").hidden = this.next === null;
  },
};

/** Wire the list's own buttons; `failed` is told what goes wrong. */
export function wireList(failed) {
  at("more").addEventListener("click", () => list.loadMore().catch(failed));
  at("side-open").addEventListener("click", () => showSide(true));
  at("side-close").addEventListener("click", () => showSide(false));
  at("side").addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isOver()) showSide(false);
  });
  at("app").addEventListener("click", (event) => {
    if (event.target === at("app") && isOver()) showSide(false);
  });
  phone.addEventListener("change", () => showSide(false, false));
}

const isOver = () => at("app").classList.contains("over");

/** On a phone, lay the list over the conversation, or take it away; elsewhere it is there anyway. */
export function showSide(shown, moveFocus = true) {
  const over = shown && phone.matches;
  const was = isOver();
  at("app").classList.toggle("over", over);
  at("talk").inert = over;
  at("side-open").setAttribute("aria-expanded", String(over));
  if (moveFocus && over) at("side-close").focus();
  if (moveFocus && was && !over) at("side-open").focus();
}
