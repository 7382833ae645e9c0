import { describe, expect, it } from "vitest";
import { useCase } from "../../src/index.ts";
import type { ReceivedEvent, Settlement } from "../../src/transport.ts";
import { EventReader } from "../../src/wire/decode.ts";
import { HEADER } from "../../src/wire/header-names.ts";
import { FakeTransport, started } from "../support.ts";
import { ODD_VALUES, titleOf } from "../wire/odd-values.ts";

/** What every broker's client takes in one table of headers, less room for its own. */
const MAX_HEADER_BYTES = 60_000;

/** An app of three use cases: one that handles, one that fails and is retried, one that fails for good. */
async function consumer() {
  const transport = new FakeTransport();
  const handled: unknown[] = [];
  const fails = () => {
    throw new Error("fails");
  };
  await started(transport, [
    useCase("works", { on: "#", concurrency: 1 }, (payload, ctx) => {
      // All that a handler may look at.
      handled.push({ payload, id: ctx.id, at: ctx.time.toISOString(), headers: ctx.headers, log: ctx.logger });
      return { name: "output", payload: ctx.eventName };
    }),
    useCase("retries", { on: "#", concurrency: 1, retries: 1 }, fails),
    useCase("gives_up", { on: "#", concurrency: 1, retries: 0 }, fails),
    useCase("forwards", { on: "nothing.else", concurrency: 1 }, fails),
  ]);
  transport.onList = () => [{ useCase: "forwards", patterns: ["#"], idle: 0 }];
  /** What each use case makes of an event; and each has to be able to go on afterwards. */
  const settle = async (event: Partial<ReceivedEvent>): Promise<Settlement[]> => {
    const useCases = ["works", "retries", "gives_up", "forwards"];
    const settlements = await Promise.all(useCases.map((name) => transport.deliver(name, event)));
    const next = await Promise.all(useCases.map((name) => transport.deliver(name, { name: "next" })));
    expect(next.map(({ kind }) => kind)).toEqual(["done", "retry", "dead", "forward"]);
    return settlements;
  };
  return { transport, handled, settle };
}

function assertStorable(settlement: Settlement): void {
  const events =
    settlement.kind === "done" ? settlement.outputs : settlement.kind === "release" ? [] : [settlement.event];
  for (const { name, id, headers } of events) {
    const entries = Object.entries(headers);
    expect(entries.filter(([, value]) => typeof value !== "string")).toEqual([]);
    expect(
      entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0),
    ).toBeLessThan(MAX_HEADER_BYTES);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
    expect(Buffer.byteLength(id)).toBeLessThanOrEqual(255);
    expect(headers[HEADER.id]).toBe(id);
  }
}

describe("events from outside that are hostile or broken", () => {
  it.each([
    ["broken UTF-8", Buffer.from([0x22, 0xff, 0x22])],
    ["a byte order mark", Buffer.from("\ufeff{}")],
    ["no JSON", Buffer.from("{")],
    ["nothing", Buffer.alloc(0)],
    ["a __proto__ key", Buffer.from('{"__proto__": {"admin": true}}')],
    ["an escaped __proto__ key", Buffer.from('{"a": {"\\u005f_proto__": 1}}')],
  ])("H5 a body of %s is a dead letter at once, and consuming goes on", async (_, body) => {
    const { settle, handled } = await consumer();
    const settlements = (await settle({ name: "a", body })).slice(0, 3);
    for (const settlement of settlements) {
      expect(settlement).toMatchObject({ kind: "dead", event: { headers: { papa_reason: "invalid-payload" } } });
      expect(settlement).toHaveProperty("event.body", body);
    }
    expect(handled).toHaveLength(1);
    expect(Object.prototype).not.toHaveProperty("admin");
  });

  it("L5 a body alone, with a name by the broker, is handled", async () => {
    const { settle, handled } = await consumer();
    const settlements = await settle({ name: "legacy.import", body: Buffer.from('{"rows": 3}') });
    expect(settlements.map(({ kind }) => kind)).toEqual(["done", "retry", "dead", "forward"]);
    expect(handled[0]).toMatchObject({ payload: { rows: 3 }, headers: {} });
  });

  it("an event without any name is a dead letter of each use case that it reaches", async () => {
    const { settle } = await consumer();
    for (const settlement of await settle({})) {
      expect(settlement).toMatchObject({ kind: "dead", event: { headers: { papa_reason: "unknown-event" } } });
    }
  });

  it.each([
    "constructor",
    "__proto__",
    "with space",
    "ünïcode",
    "a..b",
    "line\nbreak",
    "\ud800",
    "x".repeat(300),
    "a.".repeat(50_000),
  ])("a name outside the grammar is a name (%#)", async (name) => {
    const { settle } = await consumer();
    const settlements = await settle({ name });
    expect(settlements.map(({ kind }) => kind)).toEqual(["done", "retry", "dead", "forward"]);
    settlements.forEach(assertStorable);
  });

  it.each(ODD_VALUES.map((value) => [titleOf(value), value]))("survives %s in any header", async (_, value) => {
    const { settle } = await consumer();
    for (const header of [...Object.values(HEADER), "tenant", "toString"]) {
      const settlements = await settle({ name: "a", headers: { [header]: value } });
      expect(settlements.map(({ kind }) => kind)).toEqual(["done", "retry", "dead", "forward"]);
      settlements.forEach(assertStorable);
    }
  });

  it.each([Number.NaN, 1e300, -1e300])("survives the broker's time %d", async (time) => {
    const { settle } = await consumer();
    const settlements = await settle({ name: "a", time });
    expect(settlements.map(({ kind }) => kind)).toEqual(["done", "retry", "dead", "forward"]);
  });

  it("a header of 1 MB reaches the handler, and is left out, by name, where the event has to be stored again", async () => {
    const { settle, handled } = await consumer();
    const large = "x".repeat(1_048_576);
    const settlements = await settle({ name: "a", headers: { large, small: "1" } });
    expect(handled[0]).toMatchObject({ headers: { large, small: "1" } });
    settlements.forEach(assertStorable);
    for (const settlement of settlements.slice(1)) {
      expect(settlement).toMatchObject({ event: { headers: { small: "1", papa_dropped_headers: "large" } } });
    }
  });

  it("many small headers are left out as far as they are too many", async () => {
    const { settle } = await consumer();
    const headers = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`header-${index}`, "value"]));
    (await settle({ name: "a", headers })).forEach(assertStorable);
  });

  it("a trace of any length from outside does not make outputs that no broker takes", async () => {
    const { settle } = await consumer();
    const headers = { traceparent: "0".repeat(100_000), tracestate: "a=b" };
    const [works] = await settle({ name: "a", headers });
    expect(works?.kind === "done" && works.outputs[0]?.headers).not.toHaveProperty("traceparent");
    expect(works?.kind === "done" && works.outputs[0]?.headers).not.toHaveProperty("tracestate");
  });

  it("T1 an attempt from outside beyond all retries is the last one", async () => {
    const { transport } = await consumer();
    const settlement = await transport.deliver("retries", { name: "a" }, { attempt: 1_000_000 });
    expect(settlement).toMatchObject({ kind: "dead", event: { headers: { papa_reason: "retries-exhausted" } } });
  });

  it("__proto__ among the headers changes nobody's prototype", async () => {
    const { settle, handled } = await consumer();
    const headers = JSON.parse('{"__proto__": {"polluted": "x"}, "constructor": "x", "tenant": "a"}') as object;
    (await settle({ name: "a", headers: headers as Record<string, unknown> })).forEach(assertStorable);
    expect(handled[0]).toHaveProperty("headers", { tenant: "a" });
    expect({}).not.toHaveProperty("polluted");
  });

  it("what is stored again is read back as it was", async () => {
    const { settle } = await consumer();
    const event = { name: "a", id: "m-1", time: 5, headers: { tenant: Buffer.from("ñ") }, body: Buffer.from("[1]") };
    const [, retry] = await settle(event);
    if (retry?.kind !== "retry") throw new Error("It is to be retried.");
    const reader = new EventReader({ headers: retry.event.headers, body: retry.event.body }, { now: () => 0 });
    expect([reader.name, reader.id, reader.time, reader.userHeaders]).toEqual(["a", "m-1", 5, { tenant: "ñ" }]);
    expect(retry.event.body).toEqual(event.body);
  });
});
