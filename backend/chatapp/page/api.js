// Asking the service: the token goes along, and whatever goes wrong is a `Problem`.

import { events } from "./events.js";
import { session } from "./session.js";

const UNAUTHORISED = 401;
const PREFIX = "urn:chatapp:problem:";

/** What went wrong, as RFC 9457 has it; `name` is of which kind, `message` is for people. */
export class Problem extends Error {
  constructor(told, status = told.status ?? 0) {
    super(told.detail || told.title || "Something went wrong.");
    this.status = status;
    this.name = String(told.type ?? "").replace(PREFIX, "");
    this.state = told.state ?? null;
    this.faults = told.errors ?? [];
  }

  /** Whether the service is not ready. */
  get isNotReady() {
    return this.status === 503 && this.state !== null;
  }
}

/** Ask, and give the answer's JSON; null where it has none. */
export async function call(method, path, body) {
  const response = await send(method, path, body);
  return response.status === 204 ? null : await response.json();
}

/** Ask for a stream, and give its events one by one; one that is a problem is thrown. */
export async function* stream(path, body, signal) {
  const response = await send("POST", path, body, signal);
  try {
    for await (const event of events(response.body)) {
      if (event.name === "problem") throw new Problem(event.data);
      yield event;
    }
  } catch (error) {
    throw error instanceof Problem ? error : unreachable(error);
  }
}

/** The path of a conversation, or of what is in it. */
export const conversationPath = (id, ...rest) => ["v1/conversations", id, ...rest].join("/");

/** A new id of our own choice; without `randomUUID`, which plain http from elsewhere lacks. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

async function send(method, path, body, signal) {
  const headers = {};
  if (session.token) headers.authorization = `Bearer ${session.token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const text = body === undefined ? undefined : JSON.stringify(body);
  let response;
  try {
    response = await fetch(path, { method, headers, body: text, signal, cache: "no-store" });
  } catch (error) {
    throw unreachable(error);
  }
  if (response.ok) return response;
  // Logging in with another password is a 401 too, and there nothing has expired.
  if (response.status === UNAUTHORISED && headers.authorization) session.expire();
  throw new Problem(await told(response), response.status);
}

async function told(response) {
  try {
    return await response.json();
  } catch {
    return { detail: `The service answered with ${response.status}.` };
  }
}

function unreachable(error) {
  if (error.name === "AbortError") return error;
  return new Problem({ type: "unreachable", detail: "The service cannot be reached." });
}
