import { isPapaError, PapaError, useCase } from "@papa-events/core";
import { describe, expect, it } from "vitest";
import { until, World } from "../support.ts";

describe("publishing", () => {
  it("P1 newEvent resolves to the id that handlers see", async () => {
    const world = new World();
    const seen: string[] = [];
    const app = await world.start([useCase("log", { on: "#" }, (_, { id }) => void seen.push(id))]);
    const { id } = await app.newEvent("a", {});
    const own = await app.newEvent("a", {}, { id: "order-17" });
    await world.clock.settled();
    expect(own.id).toBe("order-17");
    expect(seen).toEqual([id, "order-17"]);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("P1 delivery never happens inside the publisher's stack", async () => {
    const world = new World();
    let inPublisher = true;
    const during: boolean[] = [];
    const app = await world.start([useCase("log", { on: "#" }, () => void during.push(inPublisher))]);
    const published = app.newEvent("a", {});
    inPublisher = false;
    await published;
    await world.clock.settled();
    expect(during).toEqual([false]);
  });

  it("P2 a publish waits while the connection is down and is sent after the reconnect", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const app = await world.start([useCase("log", { on: "#" }, (payload) => void seen.push(payload))]);
    world.transport.disconnect();
    let resolved = false;
    const published = app.newEvent("a", 1).then(() => {
      resolved = true;
    });
    await world.clock.advance("20s");
    expect([resolved, seen]).toEqual([false, []]);
    world.transport.reconnect();
    await published;
    await world.clock.settled();
    expect(seen).toEqual([1]);
  });

  it("P2 at publishTimeout it rejects with a retryable error that has the id, and is not sent later", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const app = await world.start([useCase("log", { on: "#" }, (payload) => void seen.push(payload))], {
      publishTimeout: "5s",
    });
    world.transport.disconnect();
    const failure = app.newEvent("a", 1, { id: "x" }).catch((error: unknown) => error);
    await world.clock.advance("6s");
    const error = await failure;
    expect(isPapaError(error, "publish-timeout") && error.details).toEqual({ eventName: "a", id: "x", timeout: 5_000 });
    expect(error).toMatchObject({ retryable: true });
    world.transport.reconnect();
    await world.clock.settled();
    expect(seen).toEqual([]);
  });

  it("P3 a million bytes at a time: many large events all arrive, in order", async () => {
    const world = new World();
    const seen: number[] = [];
    const app = await world.start([
      useCase("log", { on: "#", concurrency: 1 }, (payload) => void seen.push((payload as { index: number }).index)),
    ]);
    const text = "x".repeat(100_000);
    await Promise.all(Array.from({ length: 300 }, (_, index) => app.newEvent("a", { index, text })));
    await until(() => seen.length === 300, "300 large events");
    expect(seen).toEqual(Array.from({ length: 300 }, (_, index) => index));
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  it.each([
    ["undefined", undefined],
    ["a function", () => {}],
    ["a symbol", Symbol("s")],
    ["a BigInt", { count: 1n }],
    ["a cycle", cycle],
    [
      "a toJSON that throws",
      {
        toJSON: () => {
          throw new Error("no");
        },
      },
    ],
    ["a toJSON that gives nothing", { toJSON: () => undefined }],
    ["an own key __proto__", JSON.parse('{"__proto__": {"admin": true}}')],
  ])("P4 refuses %s as a payload at the call, and sends nothing", async (_, payload) => {
    const world = new World();
    const seen: unknown[] = [];
    const app = await world.start([useCase("log", { on: "#" }, (received) => void seen.push(received))]);
    await expect(app.newEvent("a", payload)).rejects.toMatchObject({
      code: "payload-not-json",
      details: { eventName: "a" },
    });
    await world.clock.settled();
    expect(seen).toEqual([]);
  });

  it("P4 what JSON changes, it changes here too", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const app = await world.start([useCase("log", { on: "#" }, (payload) => void seen.push(payload))]);
    await app.newEvent("a", { when: new Date(0), gone: undefined, nan: Number.NaN, list: [undefined], text: "\ud800" });
    await app.newEvent("a", null);
    await world.clock.settled();
    expect(seen).toEqual([{ when: "1970-01-01T00:00:00.000Z", nan: null, list: [null], text: "\ud800" }, null]);
  });

  it("P4 the payload is serialised at the call", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const app = await world.start([useCase("log", { on: "#" }, (payload) => void seen.push(payload))]);
    const payload = { step: 1 };
    const published = app.newEvent("a", payload);
    payload.step = 2;
    await published;
    await world.clock.settled();
    expect(seen).toEqual([{ step: 1 }]);
  });

  it("P4 exactly maxPayloadBytes pass, through retry, dead letter and redrive; one byte more is refused", async () => {
    const world = new World();
    const lengths: number[] = [];
    let broken = true;
    const app = await world.start([
      useCase("log", { on: "#", retries: 1 }, (payload) => {
        lengths.push((payload as string).length);
        if (broken) throw new Error("not yet");
      }),
    ]);
    // Two bytes a character, and two quotes.
    const most = "ñ".repeat((1_048_576 - 2) / 2);
    await expect(app.newEvent("a", `${most}x`)).rejects.toMatchObject({
      code: "payload-too-large",
      details: { bytes: 1_048_577, limit: 1_048_576 },
    });
    await app.newEvent("a", most);
    await world.clock.advance("10s");
    broken = false;
    expect(await app.deadLetters("log").redrive("all")).toBe(1);
    await world.clock.settled();
    expect(lengths).toEqual([most.length, most.length, most.length]);
  });

  it.each([
    ["", "empty"],
    ["a..b", "empty word"],
    [".a", "empty word"],
    ["user.*", "wildcard"],
    ["user.#", "wildcard"],
    ["with space", "character"],
    ["ünïcode", "character"],
    ["a.b.c.d.e.f.g.h.i.j.k", "11 words"],
    ["x".repeat(201), "201 bytes"],
    [7 as unknown as string, "number"],
  ])("P5 refuses the event name %j at the call", async (name, words) => {
    const app = await new World().publisher();
    const error: unknown = await app.newEvent(name, {}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PapaError);
    expect(error).toMatchObject({ code: "invalid-event-name" });
    expect((error as Error).message).toContain(words);
  });

  it("P5 takes names of ten words and of 200 bytes", async () => {
    const app = await new World().publisher();
    await app.newEvent("a.b.c.d.e.f.g.h.i.j", {});
    await app.newEvent("x".repeat(200), {});
  });

  it.each([
    [{ tenant: 7 }, "invalid-headers"],
    [{ "": "x" }, "invalid-headers"],
    [{ ce_id: "x" }, "invalid-headers"],
    [{ papa_attempt: "3" }, "invalid-headers"],
    [{ "x-death": "x" }, "invalid-headers"],
    [{ "x-delivery-count": "1" }, "invalid-headers"],
    [{ CC: "a" }, "invalid-headers"],
    [{ constructor: "a" }, "invalid-headers"],
    [{ broken: "\ud800" }, "invalid-headers"],
    [{ large: "x".repeat(32_768) }, "headers-too-large"],
    ["tenant=a", "invalid-headers"],
  ])("refuses the headers %j at the call", async (headers, code) => {
    const app = await new World().publisher();
    const published = app.newEvent("a", {}, { headers: headers as unknown as Record<string, string> });
    await expect(published).rejects.toMatchObject({ code });
  });

  it("headers of the user's arrive, also through a retry", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const app = await world.start([
      useCase("log", { on: "#" }, (_, { headers, attempt }) => {
        seen.push(headers);
        if (attempt === 1) throw new Error("again");
      }),
    ]);
    const headers = { tenant: "ñandú", "x-request-id": "1", traceparent: "00-1-2-01" };
    await app.newEvent("a", {}, { headers });
    await world.clock.advance("10s");
    expect(seen).toEqual([headers, headers]);
  });

  it("newEvents publishes all or, with one invalid event, none", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const app = await world.start([useCase("log", { on: "#" }, (payload) => void seen.push(payload))]);
    const events = [1, 2, 3].map((payload) => ({ name: "a", payload }));
    await expect(app.newEvents([...events, { name: "a.*", payload: 4 }])).rejects.toMatchObject({
      code: "invalid-event-name",
    });
    await world.clock.settled();
    expect(seen).toEqual([]);
    expect(await app.newEvents(events)).toHaveLength(3);
    expect(await app.newEvents([])).toEqual([]);
    await world.clock.settled();
    expect(seen).toEqual([1, 2, 3]);
  });

  it("newEvents that are only partly confirmed say which are not", async () => {
    const world = new World();
    const app = await world.publisher({ publishTimeout: "5s" });
    world.transport.disconnect();
    const failure = app.newEvents([1, 2].map((payload) => ({ name: "a", payload }))).catch((error: unknown) => error);
    await world.clock.advance("6s");
    const error = await failure;
    if (!isPapaError(error, "publish-incomplete")) throw error;
    expect(error.details.confirmed).toBe(0);
    expect(error.details.failed.map(({ index, name }) => [index, name])).toEqual([
      [0, "a"],
      [1, "a"],
    ]);
    expect(error.details.failed[0]?.error).toMatchObject({ code: "publish-timeout" });
  });
});
