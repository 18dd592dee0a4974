// Elements, found and built. A text is only ever put in as text: there is no markup from strings.

const SVG = "http://www.w3.org/2000/svg";

/** The element of the page with this id. */
export const at = (id) => document.getElementById(id);

/**
 * Build an element. A name that begins with `on` is a listener; null, undefined and false leave an
 * attribute out; children are elements and texts.
 */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** One of the page's symbols; it says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A small button with a symbol and a word. */
export function tool(symbol, word, onclick) {
  return el("button", { type: "button", class: "tool", onclick }, icon(symbol), word);
}

/** Put a text to the clipboard, and say so on the button for a moment. */
export async function copy(text, button) {
  const word = button.lastChild.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.lastChild.textContent = "Copied";
    announce("Copied.");
  } catch {
    button.lastChild.textContent = "Not allowed";
  }
  setTimeout(() => (button.lastChild.textContent = word), 2000);
}

/** Announce a text to a screen reader; it stays until the next `hush`. */
export function announce(text) {
  at("live").append(el("p", {}, text));
}

/** Clear the announcement. */
export function hush() {
  at("live").replaceChildren();
}

/** Ask whether something is to be done; true where it is. */
export function confirmed(title, text, verb) {
  const dialog = at("confirm");
  at("confirm-title").textContent = title;
  at("confirm-text").textContent = text;
  at("confirm-do").textContent = verb;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "do"), { once: true });
  });
}

/** Let a dialog's cross, and a click beside it, close it. */
export function closes(dialog) {
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}

/** A time, as people here write it. */
export function when(text) {
  const made = el("time", { datetime: text });
  made.textContent = new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return made;
}
