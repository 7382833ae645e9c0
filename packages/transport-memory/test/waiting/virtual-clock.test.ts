import { PapaApp, useCase } from "@papa-events/core";
import { describe, expect, it } from "vitest";
import { memory, virtualClock } from "../../src/index.ts";
import { Gate, silent, World } from "../support.ts";

describe("virtualClock", () => {
  it("stands still until it is told to move", async () => {
    const clock = virtualClock({ start: 1_000 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([clock.now(), clock.elapsed()]).toEqual([1_000, 1_000]);
    await clock.advance("10s");
    expect([clock.now(), clock.elapsed()]).toEqual([11_000, 11_000]);
  });

  it("begins at the machine's time, or at a date", () => {
    expect(Math.abs(virtualClock().now() - Date.now())).toBeLessThan(60_000);
    expect(virtualClock({ start: new Date("2026-01-01T00:00:00Z") }).now()).toBe(Date.parse("2026-01-01T00:00:00Z"));
  });

  it.each([{ start: new Date("soon") }, { begin: 0 }])("refuses %j", (options) => {
    expect(() => virtualClock(options as never)).toThrow(/^virtualClock/);
  });

  it("fires timers when they are due, in their order, at their time", async () => {
    const clock = virtualClock({ start: 0 });
    const fired: unknown[] = [];
    const note = (name: string) => () => fired.push([name, clock.now()]);
    clock.after(30, note("third"));
    clock.after(10, note("first"));
    clock.after(10, note("second"));
    clock.after(31, note("not yet"));
    await clock.advance(30);
    expect(fired).toEqual([
      ["first", 10],
      ["second", 10],
      ["third", 30],
    ]);
    await clock.advance(0);
    expect(fired).toHaveLength(3);
  });

  it("fires what a timer sets within the same advance", async () => {
    const clock = virtualClock({ start: 0 });
    const fired: number[] = [];
    const tick = () => {
      fired.push(clock.now());
      clock.after(10, tick);
    };
    clock.after(10, tick);
    await clock.advance(35);
    expect([fired, clock.now()]).toEqual([[10, 20, 30], 35]);
  });

  it("a cancelled timer does not fire, and cancelling one that has fired does nothing", async () => {
    const clock = virtualClock();
    let fired = 0;
    const cancel = clock.after(10, () => (fired += 1));
    const kept = clock.after(10, () => (fired += 1));
    cancel();
    await clock.advance(10);
    kept();
    expect(fired).toBe(1);
  });

  it("advances one after the other, however they are called", async () => {
    const clock = virtualClock({ start: 0 });
    const fired: number[] = [];
    clock.after(15, () => fired.push(clock.now()));
    await Promise.all([clock.advance(10), clock.advance(10), clock.advance(10)]);
    expect([fired, clock.now()]).toEqual([[15], 30]);
  });

  it("refuses what is no duration", () => {
    expect(() => virtualClock().advance("soon" as never)).toThrow('advance: the string "soon" is not a valid duration');
  });

  it("is the time of everything in the app", async () => {
    const clock = virtualClock({ start: 0 });
    await using app = new PapaApp({ transport: memory({ clock }), logger: silent });
    const times: number[] = [];
    app.onEvent("a", { useCase: "log", retries: 1 }, (_, { time }) => {
      times.push(time.getTime());
      throw new Error("no");
    });
    await app.start();
    await clock.advance("5s");
    await app.newEvent("a", 1);
    await clock.advance("10s");
    const { items } = await app.deadLetters("log").list();
    expect([times, items[0]?.firstFailedAt.getTime(), items[0]?.lastFailedAt.getTime()]).toEqual([
      [5_000, 5_000],
      5_000,
      15_000,
    ]);
  });

  it("five retries at ten seconds take no real time, and each is settled before time goes on", async () => {
    const world = new World();
    const start = world.clock.now();
    const times: number[] = [];
    const fails = useCase("fails", { on: "a" }, async () => {
      times.push(world.clock.now() - start);
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error("no");
    });
    const app = await world.start([fails]);
    await app.newEvent("a", 1);
    const began = performance.now();
    await world.clock.advance("1h");
    expect(times).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000]);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect((await app.stats()).fails?.dead).toBe(1);
  });

  it("lets a handler finish before its timeout, and ends it where it does not", async () => {
    const world = new World();
    const gate = new Gate();
    const ended: unknown[] = [];
    const app = await world.start([
      useCase("quick", { on: "a", timeout: "1s" }, async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        ended.push("quick");
      }),
      useCase("stuck", { on: "a", timeout: "1s", retries: 0 }, async (_, { signal }) => {
        signal.addEventListener("abort", () => ended.push("stuck"));
        await gate.opened;
      }),
    ]);
    await app.newEvent("a", 1);
    await world.clock.advance("1s");
    expect(ended).toEqual(["quick", "stuck"]);
    gate.open();
  });

  it("a handler that waits for the test does not hold time up for good", async () => {
    const world = new World();
    const gate = new Gate();
    const app = await world.start([useCase("waits", { on: "a" }, () => gate.opened)]);
    await app.newEvent("a", 1);
    let fired = false;
    world.clock.after(60_000, () => {
      fired = true;
    });
    await world.clock.advance("1h");
    expect(fired).toBe(true);
    gate.open();
    await world.clock.settled();
  });

  it("moves several brokers", async () => {
    const clock = virtualClock();
    const seen: string[] = [];
    const apps = ["one", "two"].map((name) =>
      new PapaApp({ transport: memory({ clock }), logger: silent }).onEvent(
        "a",
        { useCase: "log" },
        (_, { attempt }) => {
          seen.push(`${name} ${attempt}`);
          if (attempt === 1) throw new Error("again");
        },
      ),
    );
    for (const app of apps) {
      await app.start();
      await app.newEvent("a", 1);
    }
    await clock.advance("10s");
    expect(seen).toEqual(["one 1", "two 1", "one 2", "two 2"]);
    for (const app of apps) await app.stop();
  });
});

describe("settled()", () => {
  it("waits for chains of events, and for what is slow in real time", async () => {
    const world = new World();
    const seen: number[] = [];
    const app = await world.start([
      useCase("chain", { on: "step" }, async (payload) => {
        const step = payload as number;
        await new Promise((resolve) => setTimeout(resolve, 5));
        seen.push(step);
        return step < 5 ? { name: "step", payload: step + 1 } : undefined;
      }),
    ]);
    await app.newEvent("step", 1);
    await world.transport.settled();
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it("does not wait for what is not due", async () => {
    const world = new World();
    const app = await world.start([
      useCase("fails", { on: "a" }, () => {
        throw new Error("no");
      }),
    ]);
    await app.newEvent("a", 1);
    await world.clock.settled();
    expect((await app.stats()).fails).toEqual({ ready: 0, inFlight: 0, waiting: 1, dead: 0 });
  });

  it("does not wait for events that nobody consumes", async () => {
    const world = new World();
    const app = await world.start([useCase("log", { on: "a" }, () => {})]);
    await app.stop();
    await (await world.publisher()).newEvent("a", 1);
    await world.clock.settled();
  });

  it("works on the machine's clock too", async () => {
    const transport = memory();
    await using app = new PapaApp({ transport, logger: silent });
    let seen = 0;
    app.onEvent("a", { useCase: "log" }, () => {
      seen += 1;
    });
    await app.start();
    await app.newEvents(Array.from({ length: 500 }, () => ({ name: "a", payload: 1 })));
    await transport.settled();
    expect(seen).toBe(500);
  });
});
