// The box that questions are written in: it grows, keeps what is unsent, and knows the models.

import { call } from "./api.js";
import { at, el } from "./dom.js";
import { drafts } from "./session.js";

const NEW = "new";
const touch = matchMedia("(pointer: coarse)");

let where = NEW;

export const composer = {
  /** Turn to a conversation: what was written for it and not sent is there again. */
  open(id) {
    where = id ?? NEW;
    at("box").value = drafts.get(where);
    at("problem").textContent = "";
    grow();
  },

  /** Take what is written; null where there is nothing to send. */
  take() {
    const text = at("box").value;
    if (!text.trim()) return null;
    this.put("");
    return text;
  },

  /** Put a text into the box, as if it had been written. */
  put(text) {
    at("box").value = text;
    drafts.set(where, text);
    grow();
  },

  /** Give a question back that could not be sent from there, unless something new is written. */
  giveBack(id, text) {
    const from = id ?? NEW;
    if (drafts.get(from)) return;
    drafts.set(from, text);
    if (from === where) this.put(text);
  },

  /** Say what went wrong; an empty text takes it away. */
  tell(text) {
    at("problem").textContent = text;
  },

  /** While an answer comes there is a button that stops it in the place of the one that sends. */
  busy(is) {
    const focused = [at("send"), at("stop")].includes(document.activeElement);
    at("send").hidden = is;
    at("stop").hidden = !is;
    at("stop").disabled = false;
    if (focused) at(is ? "stop" : "box").focus();
  },

  /** The box gets the focus; not on a phone, where the keyboard would cover half of the page. */
  focus() {
    if (touch.matches) at("title").focus();
    else at("box").focus();
  },

  /** Which model to ask, as the API takes it; nothing for the one that the service chooses. */
  get model() {
    const { provider, model } = at("model").selectedOptions[0]?.dataset ?? {};
    return model ? { provider, model } : {};
  },

  /** Offer the models that there are; the one that was chosen stays chosen. */
  async loadModels() {
    const chosen = at("model").value;
    const offers = await call("GET", "v1/models");
    const options = offers.map(({ provider, model }) => {
      const value = `${provider}: ${model}`;
      return el("option", { value, "data-provider": provider, "data-model": model }, value);
    });
    at("model").replaceChildren(el("option", { value: "" }, "Default model"), ...options);
    at("model").value = options.some((one) => one.value === chosen) ? chosen : "";
  },
};

/** Wire the box; `send` and `stop` are what its buttons do. */
export function wireComposer({ send, stop }) {
  at("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!at("send").hidden) send();
  });
  at("stop").addEventListener("click", stop);
  at("box").addEventListener("input", () => {
    drafts.set(where, at("box").value);
    grow();
  });
  at("box").addEventListener("keydown", (event) => {
    // Enter within an input method's choice of characters is not meant for us.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch.matches) return;
    event.preventDefault();
    at("composer").requestSubmit();
  });
}

function grow() {
  const box = at("box");
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}
