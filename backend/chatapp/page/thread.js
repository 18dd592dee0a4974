// The conversation that is open: its messages, asking, stopping, answering once more.

import { call, conversationPath, newId, Problem, stream } from "./api.js";
import { composer } from "./composer.js";
import { addressOf, list, titleOf } from "./conversations.js";
import { announce, at } from "./dom.js";
import { Exchange, instructions, summaryLine } from "./exchange.js";

const TITLE = 60;
const NEAR = 80;
const STOP_TRIES = 4;
const PAUSE_MS = 300;
const LONGEST_STOP_MS = 10_000;
const POLL_INTERVAL_MS = 1500;
const LEFT_RUNNING_MS = 60_000;

/** What is under way, for each conversation: it goes on where another one is looked at. */
const running = new Map();
let turn = 0;
let follows = true;

export const thread = {
  id: null,
  conversation: null,
  exchanges: [],

  /** Turn to a conversation; null for one that is not there yet. */
  async open(id) {
    const mine = ++turn;
    this.id = id;
    this.conversation = null;
    this.exchanges = [];
    at("messages").replaceChildren();
    composer.open(id);
    composer.busy(running.has(id));
    this.head();
    if (id === null) return;
    at("said").setAttribute("aria-busy", "true");
    try {
      const asked = [call("GET", conversationPath(id)), messagesOf(id)];
      const [conversation, messages] = await Promise.all(asked);
      const covered = await lastCovered(conversation);
      if (mine !== turn) return;
      this.conversation = conversation;
      this.head();
      this.draw(messages, covered);
    } finally {
      if (mine === turn) at("said").setAttribute("aria-busy", "false");
    }
  },

  /** Show the title, and the buttons that a conversation has once it is there. */
  head() {
    const title = this.id === null ? "New conversation" : titleOf(this.conversation ?? list.find(this.id));
    at("title").textContent = title;
    document.title = `${title} · Chat`;
    at("tools").hidden = this.id === null;
    at("start").hidden = this.id !== null;
  },

  draw(messages, covered) {
    const under = running.get(this.id)?.exchange;
    const rows = paired(messages).filter((row) => !under || row.question?.id !== under.id);
    for (const { system, question, answer } of rows) {
      if (system) at("messages").append(instructions(system));
      else this.add(this.kept(question, answer));
      const ids = [system?.id, question?.id, answer?.id];
      if (covered && ids.includes(covered)) at("messages").append(summaryLine());
    }
    if (under) this.add(under);
    else this.await(this.exchanges.at(-1)).catch(() => {}); // the next thing that is asked tells
    toTheEnd();
  },

  /**
   * Look whether an answer comes that was left running, by a reload or a lost connection.
   *
   * It is only looked for: asking again might pay for a second one.
   */
  async await(exchange) {
    const question = exchange?.question;
    if (!question || exchange.answer) return;
    const ends = new Date(question.created_at).getTime() + LEFT_RUNNING_MS;
    const mine = turn;
    if (Date.now() < ends) exchange.unanswered("No answer so far.");
    while (Date.now() < ends && !exchange.isBusy) {
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
      if (mine !== turn || exchange.isBusy) return;
      const { answer_id: id } = await call("GET", conversationPath(this.id, "messages", question.id));
      if (mine !== turn || exchange.isBusy) return;
      if (id) return exchange.finish(await call("GET", conversationPath(this.id, "messages", id)));
    }
    if (!exchange.isBusy) exchange.unanswered();
  },

  kept(question, answer) {
    const made = new Exchange(question, this, this.conversation.response_format);
    if (answer) made.keep(answer);
    else made.unanswered();
    return made;
  },

  add(exchange) {
    this.exchanges.push(exchange);
    at("messages").append(exchange.element);
    for (const one of this.exchanges) one.newest(one === exchange);
  },

  /** Send what is written. */
  async send() {
    if (running.has(this.id)) return;
    if (this.id !== null && this.conversation === null)
      return composer.tell("This conversation is not loaded.");
    const content = composer.take();
    if (content === null) return at("box").focus();
    composer.tell("");
    const from = this.id;
    try {
      if (from === null) await this.begin(content);
    } catch (problem) {
      composer.giveBack(from, content);
      throw problem;
    }
    const exchange = new Exchange({ id: newId(), content }, this, this.conversation.response_format);
    this.add(exchange);
    await this.again(exchange);
  },

  /** Make the conversation that the first question is asked in. */
  async begin(content) {
    const made = await call("POST", "v1/conversations", {
      id: newId(),
      title: shortened(content),
      ...form(),
    });
    turn += 1; // whatever was still being opened is not wanted any more
    this.id = made.id;
    this.conversation = made;
    history.pushState(null, "", addressOf(made.id));
    list.put(made, true);
    composer.open(made.id);
    this.head();
    for (const id of ["start-instructions", "start-schema"]) at(id).value = "";
  },

  /** Ask a question, by its own id: a second time it is answered, or its answer given again. */
  again(exchange) {
    const { id, content } = exchange.question;
    return this.run(exchange, ["stream"], { id, content, ...composer.model });
  },

  /** Put another answer in the place of the newest. */
  regenerate(exchange) {
    return this.run(exchange, ["messages", exchange.id, "regenerate"], composer.model);
  },

  async run(exchange, path, body) {
    const { id: where, conversation } = this;
    if (running.has(where)) return;
    const before = exchange.answer;
    const pressed = exchange.element.contains(document.activeElement);
    const aborting = new AbortController();
    running.set(where, { exchange, aborting });
    exchange.begin();
    composer.busy(true);
    composer.tell("");
    if (pressed) at("stop").focus(); // the button that was pressed is gone
    toTheEnd();
    try {
      await follow(exchange, stream(conversationPath(where, ...path), body, aborting.signal));
      list.put(list.find(where) ?? conversation, true);
    } catch (problem) {
      this.failed(where, exchange, before, problem);
    } finally {
      running.delete(where);
      if (where === this.id) composer.busy(false);
    }
  },

  failed(where, exchange, before, problem) {
    const expired = problem.status === 401;
    const text = problem.name === "AbortError" ? "The answer was stopped." : problem.message;
    announce(text);
    if (before) exchange.keep(before);
    if (before && where === this.id && !expired) composer.tell(text);
    if (before) return;
    exchange.unanswered(text);
    if (!expired) return;
    exchange.element.remove();
    this.exchanges = this.exchanges.filter((one) => one !== exchange);
    composer.giveBack(where, exchange.question.content);
  },

  /** Stop the answer that is coming; what has come is kept by the service. */
  async stop() {
    const { exchange, aborting } = running.get(this.id) ?? {};
    if (!exchange) return;
    at("stop").disabled = true;
    setTimeout(() => exchange.isBusy && aborting.abort(), LONGEST_STOP_MS);
    const path = conversationPath(this.id, "messages", exchange.id, "stop");
    for (let tries = 1; tries <= STOP_TRIES && exchange.isBusy; tries += 1) {
      try {
        return await call("POST", path);
      } catch (problem) {
        if (problem.status !== 404) break;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS)); // not kept so far
      }
    }
    aborting.abort();
  },

  /** Give the open conversation another title. */
  async rename(title) {
    this.conversation = await call("PATCH", conversationPath(this.id), { title });
    list.put(this.conversation);
    this.head();
  },

  /** Delete the open conversation with all that was said in it. */
  async delete() {
    running.get(this.id)?.aborting.abort();
    await call("DELETE", conversationPath(this.id));
    list.remove(this.id);
  },
};

/** Wire what the messages do by themselves: they follow an answer unless somebody scrolls up. */
export function wireThread() {
  const said = at("said");
  said.addEventListener("scroll", () => {
    follows = said.scrollHeight - said.scrollTop - said.clientHeight < NEAR;
    at("jump").hidden = follows;
  });
  new ResizeObserver(() => {
    if (follows) said.scrollTop = said.scrollHeight;
  }).observe(at("messages"));
  at("jump").addEventListener("click", () => {
    toTheEnd();
    at("box").focus();
  });
  at("start-format").addEventListener("change", () => {
    at("start-schema-field").hidden = at("start-format").value === "text";
  });
}

/** Put questions and answers together; an answer that has lost its question stands alone. */
export function paired(messages) {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const taken = new Set();
  const rows = [];
  messages.forEach((message, place) => {
    if (taken.has(message.id)) return;
    if (message.role === "system") rows.push({ system: message });
    else if (message.role === "assistant") rows.push({ question: null, answer: message });
    else {
      const answer = answerOf(message, messages[place + 1], byId);
      if (answer) taken.add(answer.id);
      rows.push({ question: message, answer });
    }
  });
  return rows;
}

function answerOf(question, following, byId) {
  if (question.answer_id !== undefined) return byId.get(question.answer_id) ?? null;
  return following?.role === "assistant" ? following : null;
}

async function follow(exchange, events) {
  let ended = false;
  for await (const { name, data } of events) {
    if (name === "question") exchange.question = data;
    if (name === "delta") exchange.add(data.text);
    if (name === "exchange") {
      exchange.question = data.question;
      exchange.finish(data.answer, data.finish_reason);
      ended = true;
    }
  }
  if (!ended) throw new Problem({ detail: "The connection ended before the answer did." });
}

async function messagesOf(id) {
  const all = [];
  let query = "messages?limit=100";
  for (;;) {
    const page = await call("GET", conversationPath(id, query));
    all.push(...page.items);
    if (page.next === null) return all;
    query = `messages?limit=100&cursor=${page.next}`;
  }
}

async function lastCovered(conversation) {
  if (conversation.active_summary_id === null) return null;
  const summaries = await call("GET", conversationPath(conversation.id, "summaries"));
  return summaries.find((one) => one.id === conversation.active_summary_id)?.last_message_id;
}

function form() {
  const format = at("start-format").value;
  const schema = format === "text" ? "" : at("start-schema").value.trim();
  return {
    instructions: at("start-instructions").value.trim() || null,
    response_format: format,
    response_schema: schema || null,
  };
}

function shortened(text) {
  const line = text.trim().split(/\s+/).join(" ");
  return [...line].length <= TITLE ? line : `${[...line].slice(0, TITLE - 1).join("")}…`;
}

function toTheEnd() {
  follows = true;
  at("jump").hidden = true;
  at("said").scrollTop = at("said").scrollHeight;
}
