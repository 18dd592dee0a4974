// What a model wrote, with the little form that is worth showing: paragraphs, lists, code.
//
// It is built from elements and texts, so that nothing a model writes is ever read as markup.

import { copy, el, tool } from "./dom.js";

const FENCE = /^\s*(```+|~~~+)\s*([\w+#.-]*)\s*$/;
const ITEM = /^\s*(?:[-*•]|(\d{1,3})[.)])\s+(.*)$/;
const HEADING = /^#{1,6}\s+(.*)$/;
const INLINE = /(`[^`\n]+`|\*\*[^*\n]+\*\*)/;

/** Show a text; what is shown of it already and did not change stays as it is. */
export function show(container, text, format = "text") {
  const blocks = format === "text" ? parse(text) : [data(text, format)];
  const shown = container.blocks ?? [];
  let same = 0;
  while (same < blocks.length && same < shown.length && equal(blocks[same], shown[same])) same += 1;
  while (container.childElementCount > same) container.lastElementChild.remove();
  container.append(...blocks.slice(same).map(build));
  container.blocks = blocks;
}

/** Cut a text into blocks: {kind: paragraph | heading | list | code, ...}. */
export function parse(text) {
  const blocks = [];
  const lines = text.split(/\r\n|\n|\r/);
  for (let at = 0; at < lines.length; at += 1) {
    const fence = FENCE.exec(lines[at]);
    if (fence) {
      const end = endOf(lines, at + 1, fence[1]);
      blocks.push({ kind: "code", language: fence[2], text: lines.slice(at + 1, end).join("\n") });
      at = end;
    } else if (lines[at].trim()) take(blocks, lines[at]);
    else blocks.push(null);
  }
  return blocks.filter((block) => block !== null);
}

/** Find the line that ends a fence; the last one where the answer has not come so far. */
function endOf(lines, from, mark) {
  const found = lines.findIndex((line, at) => at >= from && line.trim() === mark);
  return found === -1 ? lines.length : found;
}

/** Take a line into the block that it goes on with, or into one of its own. */
function take(blocks, line) {
  const last = blocks.at(-1);
  const item = ITEM.exec(line);
  const heading = HEADING.exec(line);
  if (heading) blocks.push({ kind: "heading", text: heading[1] });
  else if (item) {
    const start = item[1] === undefined ? null : Number(item[1]);
    const before = last ?? blocks.at(-2); // items may have blank lines between them
    const goesOn = before?.kind === "list" && (before.start === null) === (start === null);
    if (!goesOn) blocks.push({ kind: "list", start, items: [item[2]] });
    else before.items.push(item[2]);
  } else if (last?.kind === "list") last.items.push(`${last.items.pop()}\n${line.trim()}`);
  else if (last?.kind === "paragraph") last.text += `\n${line}`;
  else blocks.push({ kind: "paragraph", text: line });
}

function data(text, format) {
  let shown = text;
  try {
    if (format === "json") shown = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // It has not come as a whole yet.
  }
  return { kind: "code", language: format, text: shown };
}

const equal = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function build(block) {
  if (block.kind === "code") return code(block);
  if (block.kind === "heading") return el("p", { class: "heading" }, ...inline(block.text));
  if (block.kind === "paragraph") return el("p", {}, ...inline(block.text));
  const items = block.items.map((item) => el("li", {}, ...inline(item)));
  return el(block.start === null ? "ul" : "ol", { start: block.start }, ...items);
}

function code({ language, text }) {
  const button = tool("copy", "Copy", () => copy(text, button));
  const name = language ? `Code, ${language}` : "Code";
  return el(
    "figure",
    { class: "code" },
    el("figcaption", {}, el("span", {}, language || "code"), button),
    el("pre", { tabindex: "0", role: "region", "aria-label": name }, el("code", {}, text)),
  );
}

function inline(text) {
  return text.split(INLINE).map((part) => {
    if (part.length > 2 && part.startsWith("`") && part.endsWith("`"))
      return el("code", {}, part.slice(1, -1));
    if (part.length > 4 && part.startsWith("**") && part.endsWith("**"))
      return el("strong", {}, part.slice(2, -2));
    return part;
  });
}
