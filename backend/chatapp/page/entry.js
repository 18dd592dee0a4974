// Logging in and registering: one form for both.

import { call, Problem } from "./api.js";
import { at } from "./dom.js";
import { session } from "./session.js";

const WORDS = {
  login: { title: "Log in", name: "User name or email", other: "No account yet?", switch: "Register" },
  register: { title: "Register", name: "User name", other: "Have an account?", switch: "Log in" },
};
const FIELDS = { username: "name", name: "name", email: "email", password: "password" };

let registers = false;
let entered = () => {};

/** Wire the form; `then(another)` is called when somebody is in, and told whether it is another. */
export function wireEntry(then) {
  entered = then;
  at("entry-form").addEventListener("submit", submit);
  at("entry-other").addEventListener("click", () => {
    shape(!registers);
    at("entry-name").focus();
  });
}

/** Show the form; `hint` says why, where it is not the first thing that somebody sees. */
export function showEntry(hint = "") {
  shape(false);
  at("entry-hint").textContent = hint;
  at("entry-hint").hidden = !hint;
  at("entry").hidden = false;
  document.title = "Log in · Chat";
  if (hint && session.name) at("entry-name").value = session.name;
  at(hint && session.name ? "entry-password" : "entry-name").focus();
}

function shape(registering) {
  registers = registering;
  const words = WORDS[registers ? "register" : "login"];
  at("entry-title").textContent = at("entry-send").textContent = words.title;
  at("entry-name-label").textContent = words.name;
  at("entry-other-text").textContent = words.other;
  at("entry-other").textContent = words.switch;
  at("entry-email-field").hidden = !registers;
  at("entry-password").autocomplete = registers ? "new-password" : "current-password";
  clear();
}

function clear() {
  at("entry-problem").textContent = "";
  for (const part of Object.values(FIELDS)) point(part, "");
}

function point(part, text) {
  const input = at(`entry-${part}`);
  at(`entry-${part}-fault`).textContent = text;
  if (text) {
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", `entry-${part}-fault`);
  } else {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
}

async function submit(event) {
  event.preventDefault();
  clear();
  const [name, email, password] = ["name", "email", "password"].map((p) => at(`entry-${p}`).value);
  const button = at("entry-send");
  button.disabled = true;
  try {
    if (registers) await call("POST", "v1/accounts", { username: name, email, password });
    const given = await call("POST", "v1/tokens", { name, password });
    const another = session.begin(name.trim().toLowerCase(), given.access_token);
    at("entry-form").reset();
    at("entry").hidden = true;
    entered(another);
  } catch (problem) {
    tell(problem);
  } finally {
    button.disabled = false;
  }
}

/** Show what went wrong: beside the field that it is of, else below them. */
function tell(problem) {
  if (!(problem instanceof Problem)) throw problem;
  let first = null;
  for (const { at: place, detail } of problem.faults) {
    const part = FIELDS[place.replace(/^body\//, "")];
    if (!part) continue;
    point(part, detail);
    first ??= at(`entry-${part}`);
  }
  at("entry-problem").textContent = first ? "" : problem.message;
  (first ?? at("entry-password")).focus();
}
