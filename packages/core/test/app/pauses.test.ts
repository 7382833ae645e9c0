import { memory, virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { Pauses } from "../../src/app/pauses.ts";
import { PapaApp } from "../../src/index.ts";
import { operator } from "../../src/operator/index.ts";
import type { Administration } from "../../src/transport.ts";
import { notingLogger } from "../handling/support.ts";
import { silent, turns } from "../support.ts";

/** Workers that note what they are told, and a broker that says what is paused. */
function following() {
  const clock = virtualClock({ start: 0 });
  const { lines, logger } = notingLogger();
  let paused: () => Promise<readonly string[]> = async () => [];
  const done: string[] = [];
  const pool = (name: string) => ({
    consume: async () => void done.push(`consume ${name}`),
    pause: async () => void done.push(`pause ${name}`),
  });
  const pools = new Map(["log", "mail"].map((name) => [name, pool(name)]));
  const pauses = new Pauses({ administration: { paused: () => paused() } as Administration, pools, clock, logger });
  return {
    clock,
    lines,
    done,
    pools,
    pauses,
    says: (answer: () => Promise<readonly string[]>) => {
      paused = answer;
    },
    now: (...names: string[]) => {
      paused = async () => names;
    },
  };
}

describe("a pause", () => {
  it("is followed within 2 s, and its end, by the workers of that use case", async () => {
    const { clock, done, pauses, now } = following();
    await pauses.start();
    now("log", "of another app");
    await clock.advance(2_000);
    expect([done, pauses.paused]).toEqual([["pause log"], ["log"]]);
    await clock.advance(10_000);
    now("mail");
    await clock.advance(2_000);
    expect(done).toEqual(["pause log", "consume log", "pause mail"]);
    expect(pauses.paused).toEqual(["mail"]);
  });

  it("that is there at the start is known before anything is consumed", async () => {
    const { pauses, now } = following();
    now("log", "of another app");
    await pauses.start();
    expect(pauses.paused).toEqual(["log"]);
  });

  it("stays while the broker cannot be asked", async () => {
    const { clock, done, pauses, says, now } = following();
    now("log");
    await pauses.start();
    says(() => Promise.reject(new Error("away")));
    await clock.advance(6_000);
    expect([done, pauses.paused]).toEqual([[], ["log"]]);
    now();
    await clock.advance(2_000);
    expect([done, pauses.paused]).toEqual([["consume log"], []]);
  });

  it("that could not be followed is tried again, and told of", async () => {
    const { clock, done, pools, pauses, lines, now } = following();
    await pauses.start();
    const log = pools.get("log");
    if (log === undefined) throw new Error("no pool");
    const { pause } = log;
    log.pause = () => Promise.reject(new Error("cut"));
    now("log");
    await clock.advance(2_000);
    expect(lines.map(([level]) => level)).toContain("warn");
    log.pause = pause;
    await clock.advance(2_000);
    expect([done, pauses.paused]).toEqual([["pause log"], ["log"]]);
  });

  it("is followed no more after a stop", async () => {
    const { clock, done, pauses, now } = following();
    await pauses.start();
    pauses.stop();
    now("log");
    await clock.advance(10_000);
    expect(done).toEqual([]);
  });
});

describe("an app whose use case is paused", () => {
  it("handles nothing of it, shows it, and goes on when it is resumed, with what ran ended and nothing twice", async () => {
    const transport = memory();
    await using ops = operator(transport, { logger: silent });
    const handled: unknown[] = [];
    const others: unknown[] = [];
    const first = Promise.withResolvers<void>();
    await using app = new PapaApp({ transport, logger: silent })
      .onEvent("a", { useCase: "log", concurrency: 1 }, async (n) => {
        handled.push(n);
        if (n === 0) await first.promise;
      })
      .onEvent("a", { useCase: "other" }, (n) => void others.push(n));
    await app.start();
    for (let n = 0; n < 5; n += 1) await app.newEvent("a", n);
    await expect.poll(() => handled).toEqual([0]);
    await ops.pause("log");
    await expect.poll(() => app.health().paused, { timeout: 10_000 }).toEqual(["log"]);
    await expect.poll(async () => (await app.stats()).log?.ready).toBe(4);
    first.resolve();
    await app.newEvent("a", 5);
    await expect.poll(() => others.length).toBe(6);
    await turns(20);
    expect(handled).toEqual([0]);
    expect(app.health().healthy).toBe(true);
    expect((await app.stats()).log).toEqual({ ready: 5, inFlight: 0, waiting: 0, dead: 0, paused: true });
    expect((await app.stats()).other).not.toHaveProperty("paused");
    await ops.resume("log");
    await expect.poll(() => handled, { timeout: 10_000 }).toEqual([0, 1, 2, 3, 4, 5]);
    expect(app.health().paused).toEqual([]);
  });

  it("R9 is paused no longer when it was removed meanwhile, with no warning, and the numbers of the others are still told", async () => {
    const transport = memory();
    await using ops = operator(transport, { logger: silent });
    const { lines, logger } = notingLogger();
    await using app = new PapaApp({ transport, logger })
      .onEvent("a", { useCase: "log" }, () => {})
      .onEvent("a", { useCase: "other" }, () => {});
    await app.start();
    await ops.pause("log");
    await expect.poll(() => app.health().paused, { timeout: 10_000 }).toEqual(["log"]);
    await ops.remove("log");
    await expect.poll(() => app.health().paused, { timeout: 10_000 }).toEqual([]);
    expect(lines.filter(([, message]) => message?.includes("could not be followed"))).toEqual([]);
    const nothing = { ready: 0, inFlight: 0, waiting: 0, dead: 0 };
    expect(await app.stats()).toEqual({ log: nothing, other: nothing });
  });

  it("starts paused, and stops paused", async () => {
    const transport = memory();
    await using ops = operator(transport, { logger: silent });
    const handled: unknown[] = [];
    const service = () =>
      new PapaApp({ transport, logger: silent }).onEvent("a", { useCase: "log" }, (n) => void handled.push(n));
    const before = service();
    await before.start();
    await ops.pause("log");
    await before.stop();
    const app = service();
    await app.start();
    await app.newEvent("a", 1);
    await turns(20);
    expect([handled, app.health().paused]).toEqual([[], ["log"]]);
    await app.stop();
    expect((await ops.stats("log")).log).toMatchObject({ ready: 1, inFlight: 0, paused: true });
  });
});
