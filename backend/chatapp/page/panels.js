// What opens over the conversation: summaries, usage, and where the database's schema stands.

import { call, conversationPath } from "./api.js";
import { announce, at, closes, confirmed, el, tool, when } from "./dom.js";
import { show } from "./text.js";
import { thread } from "./thread.js";

const DAY_MS = 86_400_000;

/** Wire the three of them. */
export function wirePanels() {
  for (const id of ["summaries", "usage", "schema"]) {
    closes(at(id));
    at(`open-${id}`).addEventListener("click", () => {
      at(id).showModal();
      attempt(id, LOADS[id]);
    });
  }
  at("usage-days").addEventListener("change", () => attempt("usage", loadUsage));
  at("summarise").addEventListener("click", () => attempt("summaries", summarise));
  at("summary-none").addEventListener("click", () => attempt("summaries", () => activate(null)));
}

/** Show the schema's version on its button. */
export async function showVersion() {
  const schema = await call("GET", "v1/schema");
  const badge = at("schema-badge");
  badge.textContent = schema.version === null ? schema.state : `version ${schema.version}`;
  badge.classList.toggle("odd", schema.state !== "current");
  badge.hidden = false;
}

/** Do something in a panel, and show there what goes wrong. */
async function attempt(id, work) {
  const problem = at(id).querySelector(".problem");
  problem.textContent = "";
  at(id).setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    if (error.status === 401) at(id).close();
    problem.textContent = error.message;
  } finally {
    at(id).setAttribute("aria-busy", "false");
  }
}

function sums(id, facts) {
  const parts = facts.map(([name, value, kind]) =>
    el("div", {}, el("dt", {}, name), el("dd", { class: kind }, value)),
  );
  at(id).replaceChildren(...parts);
}

const cell = (text, number = false) => el("td", { class: number ? "number" : null }, text);
const number = (value) => cell(value.toLocaleString(), true);
const dollars = (text) => `$${Number(text).toFixed(4)}`;

/** The rows of a table, or one that says there are none. */
function fill(id, rows, none) {
  const columns = at(id).parentElement.querySelectorAll("th").length;
  const empty = el("tr", {}, el("td", { colspan: columns, class: "empty" }, none));
  at(id).replaceChildren(...(rows.length ? rows : [empty]));
}

// --- summaries -------------------------------------------------------------------------------

async function loadSummaries() {
  const [conversation, summaries] = await Promise.all([
    call("GET", conversationPath(thread.id)),
    call("GET", conversationPath(thread.id, "summaries")),
  ]);
  thread.conversation = conversation;
  const active = conversation.active_summary_id;
  const cards = summaries.map((one) => card(one, one.id === active));
  const none = el("li", { class: "empty" }, "No summary so far.");
  at("summary-list").replaceChildren(...(cards.length ? cards : [none]));
  at("summary-none").hidden = active === null;
}

function card(summary, active) {
  const uses = ["not sent yet", "sent once"][summary.usage_count] ?? `sent ${summary.usage_count} times`;
  const facts = el("p", { class: "facts" }, when(summary.created_at), ` · ${uses}`);
  const text = el("div", { class: "text", tabindex: "0", role: "region", "aria-label": "Summary" });
  show(text, summary.summary);
  const use = tool("summary", "Use this one", () => attempt("summaries", () => activate(summary.id)));
  const bin = tool("bin", "Delete", () => attempt("summaries", () => remove(summary)));
  return el(
    "li",
    { class: active ? "active" : null },
    text,
    el("div", { class: "foot" }, facts, ...(active ? [el("strong", {}, "Active")] : [use, bin])),
  );
}

async function summarise() {
  const button = at("summarise");
  button.disabled = true;
  button.textContent = "Summarising…";
  try {
    await call("POST", conversationPath(thread.id, "summaries"), {});
    announce("A new summary is active.");
    await changed();
  } finally {
    button.textContent = "Summarise now";
    button.disabled = false;
    button.focus();
  }
}

async function activate(id) {
  await call("PUT", conversationPath(thread.id, "active-summary"), { summary_id: id });
  announce(id === null ? "All messages are sent." : "The summary is active.");
  await changed();
  at("summarise").focus();
}

async function remove(summary) {
  const sure = await confirmed("Delete this summary?", "The messages that it covers stay.", "Delete");
  if (!sure) return;
  await call("DELETE", conversationPath(thread.id, "summaries", summary.id));
  await loadSummaries();
  at("summarise").focus();
}

/** Show another active summary, here and in the conversation below. */
async function changed() {
  await loadSummaries();
  await thread.open(thread.id);
}

// --- usage -----------------------------------------------------------------------------------

async function loadUsage() {
  const since = new Date(Date.now() - (Number(at("usage-days").value) - 1) * DAY_MS);
  const report = await call("GET", `v1/usage?since=${since.toISOString().slice(0, 10)}`);
  const total = (key) => report.days.reduce((sum, day) => sum + day[key], 0).toLocaleString();
  sums("usage-sums", [
    ["Answers", total("answers")],
    ["Tokens", total("total_tokens")],
    ["Cost", dollars(report.cost_usd)],
  ]);
  const newest = report.days.toSorted((one, other) => other.day.localeCompare(one.day));
  const rows = newest.map((day) =>
    el("tr", {}, cell(day.day), cell(day.model), number(day.answers), number(day.total_tokens), cell(dollars(day.cost_usd), true)),
  );
  fill("usage-rows", rows, "Nothing was asked in this time.");
}

// --- schema ----------------------------------------------------------------------------------

async function loadSchema() {
  const schema = await call("GET", "v1/schema");
  const good = schema.state === "current" ? "good" : "odd";
  sums("schema-sums", [
    ["Version", schema.version ?? "none"],
    ["State", schema.state, good],
  ]);
  const rows = schema.attempts.map((one) =>
    el(
      "tr",
      {},
      cell(one.version ?? "", true),
      cell(one.title),
      el("td", { class: one.outcome === "done" ? "good" : "odd" }, one.outcome),
      cell(one.direction),
      el("td", {}, when(one.started)),
      cell(took(one), true),
    ),
  );
  fill("schema-rows", rows, "No attempt is recorded.");
}

function took({ started, finished }) {
  if (finished === null) return "";
  const ms = new Date(finished) - new Date(started);
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}

const LOADS = { summaries: loadSummaries, usage: loadUsage, schema: loadSchema };
