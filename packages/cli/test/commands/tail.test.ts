import { memory } from "@papa-events/transport-memory";
import { expect, it } from "vitest";
import { documents, papa } from "../support/papa.ts";

const payload = JSON.stringify({ name: "\u001b[31m\u202ecarlos" });

it("tail prints events as they are published, one a line, until Ctrl-C", async () => {
  const transport = memory();
  const ending = new AbortController();
  const { code, stdout, stderr } = await papa(["tail", "user.*", "order.#"], {
    transport,
    signal: ending.signal,
    onOutput: () => ending.abort(),
    onError: () => void papa(["publish", "user.created", payload], { transport }),
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "Watching user.*, order.#; Ctrl-C ends it.\n" });
  expect(stdout).toMatch(/^\d{4}-\S+Z\tuser\.created\t[0-9a-f-]{36}\t\{"name":"\\u001b\[31m\\u202ecarlos"\}\n$/);
});

it("tail as JSON has the event's members, and ends after --limit events", async () => {
  const transport = memory();
  // A program that reads JSON is not told when it begins.
  const publishing = setInterval(
    () => void papa(["publish", "user.created", payload, "-H", "note=\u009b"], { transport }),
    5,
  );
  const { code, stdout } = await papa(["tail", "#", "--json", "--limit", "2"], { transport });
  clearInterval(publishing);
  expect(code).toBe(0);
  const events = documents(stdout);
  expect(events).toHaveLength(2);
  expect(events[0]).toEqual({
    id: expect.any(String),
    name: "user.created",
    payload: JSON.parse(payload),
    body: Buffer.from(JSON.stringify(JSON.parse(payload))).toString("base64"),
    headers: expect.objectContaining({ note: "\u009b" }),
    time: expect.stringMatching(/Z$/),
    dropped: 0,
  });
});
