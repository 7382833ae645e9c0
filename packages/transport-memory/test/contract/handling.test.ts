import { currentEvent, isPapaError, type Logger, PapaApp, useCase } from "@papa-events/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { memory } from "../../src/index.ts";
import { Gate, reasonsOf, silent, until, World } from "../support.ts";

describe("handling", () => {
  it("H1 what a process had not finished when it was killed comes back, its outputs unpublished", async () => {
    const world = new World();
    const gate = new Gate();
    const seen: string[] = [];
    const slow = (hold: boolean) => [
      useCase("slow", { on: "a" }, async (payload) => {
        seen.push(`${hold ? "killed" : "second"} ${payload}`);
        if (hold) await gate.opened;
        return { name: "output", payload };
      }),
      useCase("outputs", { on: "output" }, (payload) => void seen.push(`output ${payload}`)),
    ];
    const app = await world.start(slow(true));
    await app.newEvents([1, 2, 3].map((payload) => ({ name: "a", payload })));
    await until(() => seen.length === 3, "three handlers at work");
    world.transport.crash();
    gate.open();
    await world.start(slow(false));
    await world.clock.settled();
    expect(seen.slice(0, 3)).toEqual(["killed 1", "killed 2", "killed 3"]);
    expect(seen.slice(3).sort()).toEqual(["output 1", "output 2", "output 3", "second 1", "second 2", "second 3"]);
  });

  it("H1 an event is still the queue's while its handler runs", async () => {
    const world = new World();
    const gate = new Gate();
    const app = await world.start([useCase("slow", { on: "a" }, () => gate.opened)]);
    await app.newEvent("a", {});
    await until(async () => (await app.stats()).slow?.inFlight === 1, "the handler at work");
    gate.open();
    await world.clock.settled();
    expect((await app.stats()).slow).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
  });

  it.each([
    [undefined, 20],
    [3, 3],
  ])("H2 with concurrency %s at most %i handler calls run", async (concurrency, most) => {
    const app = new PapaApp({ transport: memory(), logger: silent, concurrency });
    let running = 0;
    let highest = 0;
    let left = 100;
    const { promise: all, resolve } = Promise.withResolvers<void>();
    app.onEvent("a", { useCase: "busy" }, async () => {
      running += 1;
      highest = Math.max(highest, running);
      await new Promise((done) => setImmediate(done));
      running -= 1;
      left -= 1;
      if (left === 0) resolve();
    });
    await app.start();
    await app.newEvents(Array.from({ length: 100 }, () => ({ name: "a", payload: {} })));
    await all;
    await app.stop();
    expect(highest).toBe(most);
  });

  it("H3 a slow handler is not handed its event again while its process lives", async () => {
    const world = new World();
    const gate = new Gate();
    let calls = 0;
    const slow = useCase("slow", { on: "a" }, async () => {
      calls += 1;
      await gate.opened;
    });
    const app = await world.start([slow]);
    await world.start([slow]);
    await app.newEvent("a", {});
    await world.clock.advance("24h");
    expect(calls).toBe(1);
    gate.open();
    await world.clock.settled();
    expect(calls).toBe(1);
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const good = { name: "good", payload: 1 };
  it.each([
    ["a string", "done", "return nothing"],
    ["a number", 7, "return nothing"],
    ["true", true, "return nothing"],
    ["null", null, "return nothing"],
    ["an object without a name", { payload: 1 }, "return nothing"],
    ["a list with a string", [good, "x"], "return nothing"],
    ["an event without a payload", [good, { name: "a" }], "has no payload"],
    ["an event with an unknown member", [good, { name: "a", payload: 1, header: {} }], '"header"'],
    ["an invalid name", [good, { name: "a b", payload: 1 }], '"a b" is not a valid event name'],
    ["a wildcard", [good, { name: "a.*", payload: 1 }], "wildcard"],
    ["a cycle", [good, { name: "a", payload: cycle }], "cannot be written as JSON"],
    ["a payload too large", [good, { name: "a", payload: "x".repeat(1_048_577) }], "1048576 are allowed"],
    ["a reserved header", [good, { name: "a", payload: 1, headers: { ce_id: "x" } }], '"ce_id"'],
  ])("H4 %s among what a handler returns makes a dead letter, and nothing is published", async (_, returned, words) => {
    const world = new World();
    const published: string[] = [];
    const app = await world.start([
      useCase("returns", { on: "start" }, () => returned as unknown as undefined),
      useCase("log", { on: ["good", "a"] }, (_payload, { eventName }) => void published.push(eventName)),
    ]);
    await app.newEvent("start", {});
    await world.clock.settled();
    const { items } = await app.deadLetters("returns").list();
    expect(items).toMatchObject([{ reason: "invalid-output", attempts: 1 }]);
    expect(items[0]?.error.message).toContain(words);
    expect(published).toEqual([]);
  });

  it("H4 publishes nothing, one event or a list, with headers", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const app = await world.start([
      useCase("none", { on: "start" }, () => undefined),
      useCase("one", { on: "start" }, () => ({ name: "out.one", payload: 1 })),
      useCase("list", { on: "start" }, async () => [
        { name: "out.two", payload: null, headers: { tenant: "a" } },
        { name: "out.three", payload: { n: 3 } },
      ]),
      useCase("log", { on: "out.*" }, (payload, ctx) => void seen.push([ctx.eventName, payload, ctx.headers])),
    ]);
    await app.newEvent("start", {});
    await world.clock.settled();
    expect(seen).toEqual([
      ["out.one", 1, {}],
      ["out.two", null, { tenant: "a" }],
      ["out.three", { n: 3 }, {}],
    ]);
  });

  it("H5 what the schema refuses is a dead letter at once, its neighbours are handled, and the handler gets the schema's output", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const schema = z.object({ age: z.coerce.number().int(), name: z.string().default("anonymous") });
    const app = await world.start([useCase("typed", { on: "a", schema }, (payload) => void seen.push(payload))]);
    await app.newEvents(
      [{ age: "1" }, { age: "old" }, { age: 2, name: "eva", extra: true }, 7].map((payload) => ({
        name: "a",
        payload,
      })),
    );
    await world.clock.settled();
    expect(seen).toEqual([
      { age: 1, name: "anonymous" },
      { age: 2, name: "eva" },
    ]);
    const { items } = await app.deadLetters("typed").list({ order: "oldest" });
    expect(items.map(({ reason, payload, attempts }) => [reason, payload, attempts])).toEqual([
      ["invalid-payload", { age: "old" }, 1],
      ["invalid-payload", 7, 1],
    ]);
    expect(items[0]?.error.message).toContain("age: ");
  });

  it("H5 an asynchronous schema is waited for", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const schema = z.number().refine(async (value) => value > 1);
    const app = await world.start([useCase("typed", { on: "a", schema }, (payload) => void seen.push(payload))]);
    await app.newEvents([1, 2].map((payload) => ({ name: "a", payload })));
    await world.clock.settled();
    expect(seen).toEqual([2]);
    expect(await reasonsOf(app, "typed")).toEqual(["invalid-payload"]);
  });

  it("H6 the context says what is handled, the same on every attempt", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const app = await world.start([
      useCase("log", { on: "user.*" }, (payload, ctx) => {
        const { eventName, id, time, attempt, useCase: name, headers, signal } = ctx;
        seen.push({
          eventName,
          id,
          time,
          attempt,
          name,
          headers,
          aborted: signal.aborted,
          same: ctx.payload === payload,
        });
        if (attempt < 3) throw new Error("again");
      }),
    ]);
    const time = new Date(world.clock.now());
    await app.newEvent("user.created", {}, { id: "x", headers: { tenant: "a" } });
    await world.clock.advance("20s");
    const common = {
      eventName: "user.created",
      id: "x",
      time,
      name: "log",
      headers: { tenant: "a" },
      aborted: false,
      same: true,
    };
    expect(seen).toEqual([1, 2, 3].map((attempt) => ({ ...common, attempt })));
  });

  it("H6 ctx.logger puts use case, event name and id on its lines, by child() where the logger has it", async () => {
    const world = new World();
    const lines: unknown[] = [];
    const plain: Logger = { ...silent, info: (about, message) => void lines.push([about, message]) };
    const withChild = {
      ...plain,
      child: (bindings: object) => ({ ...plain, info: () => void lines.push(["child", bindings]) }),
    };
    const log = useCase("log", { on: "#" }, (_, { logger }) => logger.info({ n: 1 }, "hello"));
    const first = await world.start([log], { logger: plain });
    await first.newEvent("a", {}, { id: "x" });
    await world.clock.settled();
    await first.stop();
    const second = await world.start([log], { logger: withChild });
    await second.newEvent("a", {}, { id: "x" });
    await world.clock.settled();
    const bindings = { useCase: "log", eventName: "a", eventId: "x" };
    expect(lines).toEqual([
      [{ ...bindings, n: 1 }, "hello"],
      ["child", bindings],
    ]);
  });

  it("H7 a handler that exceeds its timeout has failed, its signal aborts, and what it returns late is not published", async () => {
    const world = new World();
    const gate = new Gate();
    const seen: unknown[] = [];
    const app = await world.start([
      useCase("slow", { on: "a", timeout: "5s", retries: 1 }, async (_, { attempt, signal }) => {
        if (attempt > 1) return;
        signal.addEventListener("abort", () => seen.push((signal.reason as Error).name));
        await gate.opened;
        return { name: "late", payload: 1 };
      }),
      useCase("log", { on: "late" }, () => void seen.push("published")),
    ]);
    await app.newEvent("a", {});
    await world.clock.advance("4s");
    expect((await app.stats()).slow).toMatchObject({ inFlight: 1, waiting: 0 });
    await world.clock.advance("2s");
    expect(seen).toEqual(["PapaError"]);
    expect((await app.stats()).slow).toMatchObject({ inFlight: 0, waiting: 1 });
    gate.open();
    await world.clock.advance("10s");
    expect(seen).toEqual(["PapaError"]);
    expect((await app.stats()).slow).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
  });

  it("H2 H7 a handler that goes on after its timeout keeps its place until it ends", async () => {
    const world = new World();
    const gate = new Gate();
    const started: number[] = [];
    const app = await world.start([
      useCase("slow", { on: "a", timeout: "5s", retries: 0, concurrency: 1 }, async (payload) => {
        started.push(payload as number);
        if (payload === 1) await gate.opened;
      }),
    ]);
    await app.newEvents([1, 2].map((payload) => ({ name: "a", payload })));
    await world.clock.advance("1m");
    expect(started).toEqual([1]);
    gate.open();
    await world.clock.settled();
    expect(started).toEqual([1, 2]);
    const { items } = await app.deadLetters("slow").list();
    expect(items.map(({ error }) => error.message)).toEqual([
      'The handler of "slow" ran longer than its timeout of 5000 ms.',
    ]);
  });

  it("wraps run around the handler, the app's outermost, see the context, and may replace the result", async () => {
    const world = new World();
    const steps: string[] = [];
    const wrap = (name: string) => async (ctx: { eventName: string }, next: () => Promise<unknown>) => {
      steps.push(`${name} in ${ctx.eventName}`);
      await next();
      steps.push(`${name} out`);
      return name === "app 1" && ctx.eventName === "a" ? [{ name: "b", payload: "of the wrap" }] : undefined;
    };
    const app = await world.start(
      [
        useCase("one", { on: "a", wrap: [wrap("own 1"), wrap("own 2")] }, () => void steps.push("handler")),
        useCase("log", { on: "b", wrap: async () => {} }, () => void steps.push("never: a wrap did not go on")),
      ],
      { wrap: [wrap("app 1"), wrap("app 2")] },
    );
    await app.newEvent("a", {});
    await world.clock.settled();
    expect(steps.slice(0, 9)).toEqual([
      "app 1 in a",
      "app 2 in a",
      "own 1 in a",
      "own 2 in a",
      "handler",
      "own 2 out",
      "own 1 out",
      "app 2 out",
      "app 1 out",
    ]);
    expect(steps).not.toContain("never: a wrap did not go on");
    expect(steps).toContain("app 1 in b");
  });

  it("currentEvent gives the running handler's context and lets what it publishes carry trace and cause", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const inside = async () => {
      await new Promise((done) => setImmediate(done));
      return currentEvent()?.id;
    };
    const app = await world.start([
      useCase("first", { on: "a" }, async () => {
        const id = await inside();
        await app.newEvent("b", { id });
        return { name: "c", payload: { id } };
      }),
      useCase("log", { on: ["b", "c"], retries: 0 }, (payload, { eventName, headers }) => {
        seen.push([eventName, payload, headers.traceparent, headers.tracestate]);
        throw new Error("keep it to look at all headers");
      }),
    ]);
    await Promise.all(
      ["x", "y"].map((id) => app.newEvent("a", {}, { id, headers: { traceparent: `trace-${id}`, tracestate: "s" } })),
    );
    await world.clock.settled();
    expect(currentEvent()).toBeUndefined();
    expect(seen.sort()).toEqual(
      [
        ["b", { id: "x" }, "trace-x", "s"],
        ["b", { id: "y" }, "trace-y", "s"],
        ["c", { id: "x" }, "trace-x", "s"],
        ["c", { id: "y" }, "trace-y", "s"],
      ].sort(),
    );
    const { items } = await app.deadLetters("log").list();
    expect(items.map(({ headers, payload }) => [headers.papa_cause, (payload as { id: string }).id])).toEqual(
      items.map(({ payload }) => [(payload as { id: string }).id, (payload as { id: string }).id]),
    );
  });

  it("an error that a handler throws is told whatever it is", async () => {
    const world = new World();
    const hostile = new Proxy(new Error("x"), {
      get: () => {
        throw new Error("no");
      },
    });
    const thrown: unknown[] = ["text", 7, null, undefined, { code: 1 }, Object.create(null), hostile, Symbol("s")];
    const app = await world.start([
      useCase("throws", { on: "a", retries: 0, concurrency: 1 }, (index) => {
        throw thrown[index as number];
      }),
    ]);
    await app.newEvents(thrown.map((_, payload) => ({ name: "a", payload })));
    await world.clock.settled();
    const { items } = await app.deadLetters("throws").list({ order: "oldest" });
    expect(items).toHaveLength(thrown.length);
    expect(items.slice(0, 5).map(({ error }) => error.message)).toEqual([
      "text",
      "7",
      "null",
      "undefined",
      '{"code":1}',
    ]);
  });

  it("a handler that publishes something invalid by newEvent fails, and is tried again", async () => {
    const world = new World();
    const codes: unknown[] = [];
    const app = await world.start([
      useCase("publishes", { on: "a" }, async (_, { attempt }) => {
        if (attempt > 1) return;
        await app.newEvent("not a name", {}).catch((error: unknown) => {
          codes.push(isPapaError(error) && error.code);
          throw error;
        });
      }),
    ]);
    await app.newEvent("a", {});
    await world.clock.advance("10s");
    expect(codes).toEqual(["invalid-event-name"]);
    expect((await app.stats()).publishes).toMatchObject({ waiting: 0, dead: 0 });
  });
});
