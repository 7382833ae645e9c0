import { DeadLetter, exponential, RetryAfter, useCase } from "@papa-events/core";
import { describe, expect, it } from "vitest";
import { reasonsOf, until, World } from "../support.ts";

const fails = () => {
  throw new Error("fails");
};

describe("retrying", () => {
  it.each([
    [undefined, 6],
    [0, 1],
    [3, 4],
  ])("T1 with retries %s a handler that always fails is called %i times", async (retries, calls) => {
    const world = new World();
    const attempts: number[] = [];
    const app = await world.start([
      useCase("fails", { on: "a", retries }, (_, { attempt }) => {
        attempts.push(attempt);
        fails();
      }),
    ]);
    await app.newEvent("a", {});
    await world.clock.advance("10m");
    expect(attempts).toEqual(Array.from({ length: calls }, (_, index) => index + 1));
    expect(await reasonsOf(app, "fails")).toEqual(["retries-exhausted"]);
  });

  it("T2 a failed event waits 10 s, no less, and comes back to that use case only", async () => {
    const world = new World();
    const calls: string[] = [];
    const app = await world.start([
      useCase("fails", { on: "#" }, (_, { attempt }) => {
        calls.push(`fails ${attempt}`);
        if (attempt === 1) fails();
      }),
      useCase("other", { on: "#" }, () => void calls.push("other")),
    ]);
    await app.newEvent("a", {});
    await world.clock.advance(9_999);
    expect(calls).toEqual(["fails 1", "other"]);
    await world.clock.advance(1);
    expect(calls).toEqual(["fails 1", "other", "fails 2"]);
  });

  it("T2 a retry is never early on the machine's clock either", async () => {
    const { memory } = await import("../../src/index.ts");
    const { PapaApp } = await import("@papa-events/core");
    const { silent } = await import("../support.ts");
    const app = new PapaApp({ transport: memory(), logger: silent, retryDelay: 50, retries: 1 });
    const waited: number[] = [];
    const failedAt = new Map<string, number>();
    app.onEvent("a", { useCase: "fails" }, (_, { id, attempt }) => {
      if (attempt === 1) {
        failedAt.set(id, performance.now());
        fails();
      }
      waited.push(performance.now() - (failedAt.get(id) ?? 0));
    });
    await app.start();
    await app.newEvents(Array.from({ length: 200 }, () => ({ name: "a", payload: {} })));
    await until(() => waited.length === 200, "200 retries");
    await app.stop();
    expect(Math.min(...waited)).toBeGreaterThanOrEqual(50);
  });

  it.each([
    ["a duration", "2s", [2_000, 2_000, 2_000]],
    ["a function of the attempt", (attempt: number) => attempt * 1_000, [1_000, 2_000, 3_000]],
    [
      "an exponential without jitter",
      exponential({ first: "1s", factor: 3, max: "5s", jitter: 0 }),
      [1_000, 3_000, 5_000],
    ],
    ["a function that throws: 10 s instead", fails, [10_000, 10_000, 10_000]],
    ["a function that gives no duration: 10 s instead", () => Number.NaN, [10_000, 10_000, 10_000]],
  ] as const)("T2 the delay can be %s", async (_, retryDelay, delays) => {
    const world = new World();
    const times: number[] = [];
    const app = await world.start([
      useCase("fails", { on: "a", retries: 3, retryDelay }, () => {
        times.push(world.clock.now());
        fails();
      }),
    ]);
    await app.newEvent("a", {});
    await world.clock.advance("1h");
    expect(times.slice(1).map((time, index) => time - (times[index] ?? 0))).toEqual(delays);
  });

  it("T2 the delay function gets the attempt that failed and its error", async () => {
    const world = new World();
    const given: unknown[] = [];
    const retryDelay = (attempt: number, error: unknown) => {
      given.push([attempt, (error as Error).message]);
      return "1s" as const;
    };
    const app = await world.start([useCase("fails", { on: "a", retries: 2, retryDelay }, fails)]);
    await app.newEvent("a", {});
    await world.clock.advance("1h");
    expect(given).toEqual([
      [1, "fails"],
      [2, "fails"],
    ]);
  });

  it("T3 waiting events block nothing, and different delays do not wait for one another", async () => {
    const world = new World();
    const order: unknown[] = [];
    const app = await world.start([
      useCase("mixed", { on: "a", concurrency: 1 }, (payload, { attempt }) => {
        const { name, delay } = payload as { name: string; delay?: number };
        if (attempt === 1 && delay !== undefined) throw new RetryAfter(delay);
        order.push(name);
      }),
    ]);
    const events = [
      { name: "1 h", delay: 3_600_000 },
      { name: "1 s", delay: 1_000 },
      { name: "now" },
      { name: "10 ms", delay: 10 },
    ];
    await app.newEvents(events.map((payload) => ({ name: "a", payload })));
    await world.clock.settled();
    expect(order).toEqual(["now"]);
    await world.clock.advance("2s");
    expect(order).toEqual(["now", "10 ms", "1 s"]);
    await world.clock.advance("1h");
    expect(order).toEqual(["now", "10 ms", "1 s", "1 h"]);
  });

  it("T4 the attempt number survives restarts and lost connections", async () => {
    const world = new World();
    const attempts: number[] = [];
    const log = useCase("fails", { on: "a", retries: 3 }, (_, { attempt }) => {
      attempts.push(attempt);
      fails();
    });
    const app = await world.start([log]);
    await app.newEvent("a", {});
    await world.clock.settled();
    await app.stop();
    await world.clock.advance("1m");
    await world.start([log]);
    await world.clock.settled();
    world.transport.disconnect();
    await world.clock.advance("1m");
    world.transport.reconnect();
    await world.clock.settled();
    world.transport.crash();
    await world.start([log]);
    await world.clock.advance("1m");
    expect(attempts).toEqual([1, 2, 3, 4]);
  });

  it("T5 a thrown DeadLetter skips the remaining retries", async () => {
    const world = new World();
    let calls = 0;
    const app = await world.start([
      useCase("rejects", { on: "a" }, () => {
        calls += 1;
        throw new DeadLetter("the account is closed", { cause: new Error("403") });
      }),
    ]);
    await app.newEvent("a", {});
    await world.clock.advance("10m");
    expect(calls).toBe(1);
    const { items } = await app.deadLetters("rejects").list();
    expect(items).toMatchObject([
      { reason: "rejected", attempts: 1, error: { name: "DeadLetter", message: "the account is closed" } },
    ]);
    expect(items[0]?.error.stack).toContain("caused by: Error: 403");
  });

  it("T5 a thrown RetryAfter sets this retry's delay, and counts", async () => {
    const world = new World();
    const times: number[] = [];
    const app = await world.start([
      useCase("waits", { on: "a", retries: 2 }, (_, { attempt }) => {
        times.push(world.clock.now());
        throw attempt === 1 ? new RetryAfter("2m") : new Error("fails");
      }),
    ]);
    await app.newEvent("a", {});
    await world.clock.advance("10m");
    expect(times.map((time) => time - (times[0] ?? 0))).toEqual([0, 120_000, 130_000]);
    expect(await reasonsOf(app, "waits")).toEqual(["retries-exhausted"]);
  });

  it.each([
    [undefined, 5],
    [1, 1],
    [3, 3],
  ])(
    "T6 a redelivery after a crash is no retry; with crashLimit %s the event is a dead letter after %d deaths on trial",
    async (crashLimit, trials) => {
      const world = new World();
      const attempts: number[] = [];
      const kills = useCase("kills", { on: "a", retries: 1 }, async (_, { attempt }) => {
        attempts.push(attempt);
        await new Promise(() => {});
      });
      await (await world.start([kills], { crashLimit })).newEvent("a", {});
      // Two that say nothing, since processes are killed every day; then it is a suspect.
      const deaths = 2 + trials;
      for (let crash = 1; crash <= deaths; crash += 1) {
        await until(() => attempts.length === crash, `delivery ${crash}`);
        world.transport.crash();
        await world.start([kills], { crashLimit });
      }
      const app = await world.publisher();
      const letters = app.deadLetters("kills");
      await until(async () => (await letters.count()) === 1, "the dead letter");
      expect(attempts).toEqual(Array.from({ length: deaths }, () => 1));
      const { items } = await letters.list();
      expect(items).toMatchObject([{ reason: "crash-loop", attempts: 1 }]);
      expect(items[0]?.error.message).toBe(
        `${trials} processes died while they handled this event for "kills", each time with nothing else beside it.`,
      );
    },
  );

  it("T6 1 event that kills its process among 100 that do not: 1 dead letter, and the others are handled", async () => {
    const world = new World();
    const handled = new Set<unknown>();
    let died = false;
    const mixed = useCase("mixed", { on: "a" }, async (payload) => {
      if (payload === "poison") {
        died = true;
        await new Promise(() => {});
      }
      await new Promise((resolve) => setImmediate(resolve));
      handled.add(payload);
    });
    const payloads = Array.from({ length: 101 }, (_, index) => (index === 50 ? "poison" : index));
    let app = await world.start([mixed]);
    await app.newEvents(payloads.map((payload) => ({ name: "a", payload })));
    await until(async () => {
      if (died) {
        died = false;
        world.transport.crash();
        app = await world.start([mixed]);
      }
      // The others get their turns between suspects.
      await world.clock.advance("1s");
      return (await app.deadLetters("mixed").count()) === 1 && handled.size === 100;
    }, "the dead letter and all the others");
    expect(await reasonsOf(app, "mixed")).toEqual(["crash-loop"]);
    expect((await app.stats()).mixed).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 1 });
    expect([...handled].sort()).toEqual(payloads.filter((payload) => payload !== "poison").sort());
  });

  it("onRetry and onDeadLetter are told, and what they throw blocks nothing", async () => {
    const world = new World();
    const told: unknown[] = [];
    const app = await world.start([useCase("fails", { on: "a", retries: 1, retryDelay: "3s" }, fails)], {
      onRetry: (ctx, error, delay) => {
        told.push(["retry", ctx.id, ctx.attempt, (error as Error).message, delay]);
        throw new Error("listener");
      },
      onDeadLetter: async (item) => {
        told.push(["dead", item.eventId, item.attempts, item.reason, item.id]);
        throw new Error("listener");
      },
    });
    await app.newEvent("a", {}, { id: "x" });
    await world.clock.advance("10s");
    const { items } = await app.deadLetters("fails").list();
    expect(told).toEqual([
      ["retry", "x", 1, "fails", 3_000],
      ["dead", "x", 2, "retries-exhausted", items[0]?.id],
    ]);
  });
});
