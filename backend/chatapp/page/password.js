// Another password: it ends every older token, and gives this tab a new one.

import { call } from "./api.js";
import { announce, at, closes } from "./dom.js";
import { session } from "./session.js";

/** Wire the dialog. */
export function wirePassword() {
  const dialog = at("password");
  closes(dialog);
  at("open-password").addEventListener("click", () => {
    at("password-form").reset();
    at("password-user").value = session.name;
    tell("");
    dialog.showModal();
    at("password-current").focus();
  });
  at("password-form").addEventListener("submit", change);
}

async function change(event) {
  event.preventDefault();
  tell("");
  const [current, wanted] = ["current", "new"].map((name) => at(`password-${name}`).value);
  try {
    const given = await call("PUT", "v1/account/password", { current, new: wanted });
    session.begin(session.name, given.access_token);
    at("password").close();
    announce("The password is changed.");
  } catch (problem) {
    if (problem.status === 401) at("password").close();
    tell(problem.faults?.[0]?.detail ?? problem.message);
    at("password-current").focus();
  }
}

function tell(text) {
  at("password").querySelector(".problem").textContent = text;
}
