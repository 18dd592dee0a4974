// A question and its answer, as they are shown: kept ones, and one that is under way.

import { announce, copy, el, hush, icon, tool } from "./dom.js";
import { show } from "./text.js";

const ENDS = {
  length: "Cut off: the model came to the length that it may write.",
  content_filter: "Cut off by the provider’s filter.",
  stopped: "Stopped.",
};
const SENTENCE = /^[\s\S]*?[.!?:](?=\s)|^[^\n]*\n/;

/**
 * Shows one exchange.
 *
 * `does` has what its buttons do: `again(exchange)` asks an unanswered question again,
 * `regenerate(exchange)` replaces an answer.
 */
export class Exchange {
  constructor(question, does, format = "text") {
    this.question = question;
    this.does = does;
    this.format = format;
    this.answer = null;
    this.text = "";
    this.told = 0;
    this.body = el("div", { class: "text" });
    this.foot = el("div", { class: "foot" });
    this.reply = el("article", { class: "answer", "aria-label": "Answer" }, this.body, this.foot);
    this.asked = el("article", { class: "question", "aria-label": "You" });
    if (question) this.asked.append(el("div", { class: "text" }, question.content));
    this.element = el("div", { class: "exchange" }, question ? this.asked : null, this.reply);
  }

  get id() {
    return this.question?.id ?? this.answer?.id;
  }

  /** Show the answer that was kept, and how it ended where that is known. */
  keep(answer, finish = null) {
    this.answer = answer;
    this.text = answer.content;
    this.busy(false);
    show(this.body, this.text, this.format);
    const note = ENDS[finish] ? el("p", { class: "note" }, ENDS[finish]) : null;
    this.under(note, el("span", { class: "facts" }, factsOf(answer)), ...this.tools());
  }

  /** Show that there is no answer, and why where it is known. */
  unanswered(why = "This question has no answer.") {
    this.busy(false);
    show(this.body, "");
    const button = tool("again", "Ask again", () => this.does.again(this));
    this.under(el("p", { class: "problem" }, why), button);
  }

  /** Begin to show an answer that comes piece by piece. */
  begin() {
    this.text = "";
    this.told = 0;
    hush();
    show(this.body, "");
    this.busy(true);
    this.under();
  }

  /** A piece has come: it is shown at the next frame, and told by whole sentences. */
  add(piece) {
    this.text += piece;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.isBusy) show(this.body, this.text, this.format);
    });
    for (;;) {
      const [sentence] = SENTENCE.exec(this.text.slice(this.told)) ?? [];
      if (sentence === undefined) break;
      this.told += sentence.length;
      if (sentence.trim()) announce(sentence.trim());
    }
  }

  /** The last piece has come, and the answer was kept. */
  finish(answer, finish) {
    const rest = answer.content.slice(this.told).trim();
    if (rest) announce(rest);
    if (ENDS[finish]) announce(ENDS[finish]);
    this.keep(answer, finish);
  }

  busy(is) {
    this.isBusy = is;
    this.reply.setAttribute("aria-busy", String(is));
    this.reply.classList.toggle("busy", is);
  }

  /** Only the newest answer can be replaced. */
  newest(is) {
    this.isNewest = is;
    const button = this.foot.querySelector(".regenerate");
    if (button) button.hidden = !is;
  }

  under(...parts) {
    this.foot.replaceChildren(...parts.filter((part) => part !== null));
  }

  tools() {
    const copies = tool("copy", "Copy", () => copy(this.text, copies));
    const again = tool("again", "Regenerate", () => this.does.regenerate(this));
    again.classList.add("regenerate");
    again.hidden = !this.isNewest;
    return this.question ? [copies, again] : [copies];
  }
}

/** What the conversation began with, for the model and not for people. */
export function instructions(message) {
  return el(
    "details",
    { class: "instructions" },
    el("summary", {}, "Instructions"),
    el("p", {}, message.content),
  );
}

/** The line below the last message that the active summary covers. */
export function summaryLine() {
  return el("p", { class: "line" }, icon("summary"), "Summarised up to here");
}

function factsOf(answer) {
  const seconds = ((answer.latency_ms ?? 0) + (answer.generation_time_ms ?? 0)) / 1000;
  const cost = Number(answer.cost_usd ?? 0);
  return [
    answer.model,
    answer.total_tokens ? `${answer.total_tokens.toLocaleString()} tokens` : null,
    seconds >= 0.1 ? `${seconds.toFixed(1)} s` : null,
    cost ? `$${cost.toPrecision(2)}` : null,
  ]
    .filter(Boolean)
    .join(" · ");
}
