import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readDeadLetter } from "../../src/dead-letters/item.ts";
import type { EncodedEvent, ReceivedEvent } from "../../src/transport.ts";
import { EventReader, readAttempt } from "../../src/wire/decode.ts";
import { decodePayload } from "../../src/wire/payload.ts";
import { samples } from "./samples.ts";

const file = (name: string) => new URL(`./fixtures/${name}.json`, import.meta.url);

/** Headers in their order and the body as text: every byte that travels. */
function wireText({ headers, body }: EncodedEvent): string {
  return `${JSON.stringify({ headers, body: Buffer.from(body).toString() }, null, 2)}\n`;
}

async function received(fixture: string): Promise<ReceivedEvent> {
  const { headers, body } = JSON.parse(await readFile(file(fixture), "utf8")) as { headers: object; body: string };
  return { headers: { ...headers }, body: Buffer.from(body) };
}

async function reader(fixture: string): Promise<EventReader> {
  return new EventReader(await received(fixture), { now: () => 0 });
}

describe("the recorded wire format", () => {
  it.each(Object.entries(samples))("%s is written as recorded, byte for byte", async (name, event) => {
    expect(wireText(event)).toBe(await readFile(file(name), "utf8"));
  });

  it.each(Object.keys(samples))("%s holds nothing but strings in its headers", (name) => {
    expect(Object.values(samples[name]?.headers ?? {}).every((value) => typeof value === "string")).toBe(true);
  });

  it.each(["event", "event-with-headers", "retry", "forward", "dead-letter", "redriven"])(
    "H6 %s is read with the name, id and time it was published with",
    async (name) => {
      const read = await reader(name);
      expect([read.name, read.id, new Date(read.time).toISOString()]).toEqual([
        "user.created",
        "0190163d-8694-739b-aea5-966c26f8ad91",
        "2026-02-03T04:05:06.789Z",
      ]);
      expect(decodePayload(await received(name))).toEqual({
        payload: { name: "Ñuño 🐦", age: 21, tags: ["a", null], 'quoted "key"': 1.5e-7 },
      });
    },
  );

  it.each([
    ["event", 1],
    ["retry", 2],
    ["forward", 2],
    ["dead-letter", 2],
    ["redriven", 1],
    ["foreign-retry", 2],
  ])("T4 %s is attempt %d", async (name, attempt) => {
    expect(readAttempt((await received(name)).headers)).toBe(attempt);
  });

  it.each(["event-with-headers", "retry", "dead-letter", "redriven"])(
    "%s gives a handler the user's headers and the trace, and none of the library's",
    async (name) => {
      expect((await reader(name)).userHeaders).toEqual({
        tenant: "Zürich",
        "x-request-id": "1",
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        tracestate: "rojo=00f067",
      });
    },
  );

  it("D1 a dead letter is read with all that it keeps", async () => {
    const event = await received("dead-letter");
    expect(readDeadLetter({ id: "1", event }, "send_welcome")).toEqual({
      id: "1",
      eventId: "0190163d-8694-739b-aea5-966c26f8ad91",
      useCase: "send_welcome",
      eventName: "user.created",
      payload: { name: "Ñuño 🐦", age: 21, tags: ["a", null], 'quoted "key"': 1.5e-7 },
      body: event.body,
      headers: event.headers,
      reason: "retries-exhausted",
      error: {
        name: "TypeError",
        message: "ñandú is undefined",
        stack: "TypeError: ñandú is undefined\n    at handler",
      },
      attempts: 2,
      firstFailedAt: new Date("2026-02-03T04:05:07.000Z"),
      lastFailedAt: new Date("2026-02-03T04:06:00.000Z"),
    });
  });

  it("D4 a redriven event has nothing left of its time as a dead letter but that it was one", async () => {
    const { headers } = await received("redriven");
    expect(Object.keys(headers).filter((name) => name.startsWith("papa_"))).toEqual(["papa_cause", "papa_redriven"]);
  });

  it("L5 an event from outside keeps its name, id, time and headers when it is retried", async () => {
    const read = await reader("foreign-retry");
    expect([read.name, read.id, new Date(read.time).toISOString()]).toEqual([
      "legacy.import",
      "5f2b",
      "2026-02-03T04:05:06.789Z",
    ]);
    expect(read.userHeaders).toEqual({ retries: "3", origin: "cron" });
  });
});
