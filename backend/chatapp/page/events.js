// Server-sent events, read from the body of an answer: `EventSource` can neither POST nor log in.

/** Give each event with its name and its JSON, as it comes. */
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = fresh();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (take(event, line.replace(/\r$/, ""))) continue;
        if (event.data.length) yield { name: event.name, data: JSON.parse(event.data.join("\n")) };
        event = fresh();
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

const fresh = () => ({ name: "message", data: [] });

/** Take a line into an event; false where it ends the event. */
function take(event, line) {
  if (line === "") return false;
  const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
  if (field === "event") event.name = value;
  else if (field === "data") event.data.push(value);
  return true;
}
