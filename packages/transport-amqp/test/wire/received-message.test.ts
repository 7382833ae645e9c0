import type { Message } from "amqplib";
import { describe, expect, it } from "vitest";
import { readMessage } from "../../src/wire/received-message.ts";
import { returnedProperties } from "../../src/wire/returned-message.ts";
import { readRingReturn } from "../../src/wire/ring-return.ts";

const origin = { queue: "uc", fallbackName: "uc", widened: false, majorVersion: 4 };

interface Given {
  readonly exchange?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly type?: string;
}

const message = ({ exchange = "", key = "uc", headers = {}, type }: Given) =>
  ({
    fields: { exchange, routingKey: key, deliveryTag: 1, redelivered: false },
    properties: { headers, type },
    content: Buffer.from("1"),
  }) as unknown as Message;

const death = (reason: string, key: string) => ({
  "x-death": [{ queue: "uc", reason, count: 1, exchange: "x", "routing-keys": [key] }],
});

const named = (given: Given) => {
  const { event } = readMessage(message(given), origin);
  return [event.name, event.direct];
};

describe("L5 what somebody has put straight into the queue is told from what came there by the library", () => {
  it.each<[string, Given, [name: string, direct: boolean]]>([
    ["by hand, without a name", {}, ["uc", true]],
    ["by hand, with a type", { type: "a.b" }, ["a.b", true]],
    ["an event", { exchange: "domain_events", key: "a.b" }, ["a.b", false]],
    ["an event without a name", { exchange: "domain_events", key: "" }, ["", false]],
    ["an event called like the queue", { exchange: "domain_events" }, ["uc", false]],
    ["a retry", { headers: { ce_type: "a.b", papa_attempt: "2" } }, ["a.b", false]],
    ["a forwarded event", { headers: { ce_type: "a.b", papa_forwarded: "2" } }, ["a.b", false]],
    ["a redriven event", { headers: { ce_type: "a.b", papa_redriven: "1" } }, ["a.b", false]],
    ["a redriven event whose name is lost", { headers: { ce_type: "", papa_redriven: "1" } }, ["uc", true]],
    ["the original's retry", { exchange: "domain_events", headers: death("rejected", "a.b") }, ["a.b", false]],
    [
      "the original's retry of one put by hand",
      { exchange: "x", type: "a.b", headers: death("rejected", "uc") },
      ["a.b", true],
    ],
    ["the original's dead letter, moved here", { headers: death("rejected", "a.b") }, ["a.b", true]],
  ])("%s", (_, given, expected) => {
    expect(named(given)).toEqual(expected);
  });

  it.each<[string, Given]>([
    ["an event", { exchange: "domain_events", key: "a.b" }],
    ["one put by hand", { type: "a.b" }],
  ])("also where it is a copy of %s", (_, given) => {
    const received = readMessage(message(given), origin);
    const { headers = {} } = returnedProperties(received, 0);
    const copy = readMessage(message({ headers }), origin);
    const direct = copy.event.direct === true || copy.event.headers.papa_direct !== undefined;
    expect([copy.event.name, direct]).toEqual(["a.b", received.event.direct]);
  });

  it.each([
    ["a.b", undefined],
    ["uc", "1"],
  ])("also where it comes back from the original's retry queue, having come by %s", (key, direct) => {
    const returned = message({ exchange: "x", type: "a.b", headers: death("expired", key) });
    const { properties } = readRingReturn(returned, "uc");
    expect(properties.headers).toMatchObject({ papa_returns: 0 });
    expect(properties.headers?.papa_direct).toBe(direct);
  });
});

describe("H9 an event tells about how large its headers are", () => {
  it.each<[string, Record<string, unknown>, number]>([
    ["none", {}, 0],
    ["text and numbers", { a: "text", n: 5 }, 6],
    ["bytes, lists and tables", { a: Buffer.alloc(100), b: ["one", { c: "two" }] }, 111],
  ])("%s", (_, headers, bytes) => {
    expect(readMessage(message({ headers }), origin).event.headerBytes).toBe(bytes);
  });

  it("also where they are nested as deep as a message may be", () => {
    let nested: unknown = "x";
    for (let depth = 0; depth < 20_000; depth += 1) nested = [nested];
    expect(readMessage(message({ headers: { nested } }), origin).event.headerBytes).toBe(20_007);
  });
});
