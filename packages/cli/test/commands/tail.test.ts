import { PapaApp } from "@papa-events/core";
import { type MemoryTransport, memory } from "@papa-events/transport-memory";
import { expect, it, onTestFinished } from "vitest";
import { documents, papa } from "../support/papa.ts";

/** Publishes an event again and again until the test is over: nobody can know when a tail has begun. */
async function publishing(transport: MemoryTransport, payload: unknown): Promise<void> {
  const app = new PapaApp({ transport, name: "shop", unwanted: "accept" });
  await app.start();
  const timer = setInterval(() => {
    void app.newEvent("user.created", payload, { headers: { note: "\u001b[2J" } }).catch(() => {});
  }, 5);
  onTestFinished(async () => {
    clearInterval(timer);
    await app.stop();
  });
}

it("tail prints events as they are published, one a line, until Ctrl-C", async () => {
  const transport = memory();
  await publishing(transport, { name: "\u001b[31m\u202ecarlos" });
  const ending = new AbortController();
  const { code, stdout } = await papa(["tail", "user.*", "order.#"], {
    transport,
    signal: ending.signal,
    onOutput: () => ending.abort(),
  });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d{4}-\S+Z\tuser\.created\t[0-9a-f-]{36}\t\{"name":"\\u001b\[31m\\u202ecarlos"\}\n/);
});

it("tail as JSON has the event's members, and ends after --limit events", async () => {
  const transport = memory();
  await publishing(transport, { name: "carlos" });
  const { code, stdout } = await papa(["tail", "#", "--json", "--limit", "2"], { transport });
  expect(code).toBe(0);
  const events = documents(stdout);
  expect(events).toHaveLength(2);
  expect(events[0]).toEqual({
    id: expect.any(String),
    name: "user.created",
    payload: { name: "carlos" },
    body: Buffer.from('{"name":"carlos"}').toString("base64"),
    headers: expect.objectContaining({ note: "\u001b[2J" }),
    time: expect.stringMatching(/Z$/),
    dropped: 0,
  });
});
