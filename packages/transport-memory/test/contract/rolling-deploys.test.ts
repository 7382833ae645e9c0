import { useCase } from "@papa-events/core";
import { describe, expect, it } from "vitest";
import { reasonsOf, World } from "../support.ts";

describe("R6 rolling deploys", () => {
  const old = (seen: string[]) =>
    useCase("log", { on: ["a", "old.*"] }, (_, { eventName, attempt, id }) => {
      seen.push(`old ${eventName} ${attempt} ${id}`);
    });
  const next = (seen: string[]) =>
    useCase("log", { on: ["a", "new.*"] }, (_, { eventName, attempt, id }) => {
      seen.push(`new ${eventName} ${attempt} ${id}`);
    });

  it("R6 what only another instance's patterns match is forwarded to it, attempt and id unchanged", async () => {
    const world = new World();
    const seen: string[] = [];
    const app = await world.start([old(seen)]);
    await world.start([next(seen)]);
    for (let index = 0; index < 20; index += 1) {
      await app.newEvent("old.x", {}, { id: `o${index}` });
      await app.newEvent("new.x", {}, { id: `n${index}` });
    }
    // Each time it comes back, chance decides which instance gets it; and each of 40 misses 100 times once in 10^28.
    for (let minute = 0; minute < 100 && seen.length < 40; minute += 1) await world.clock.advance("1m");
    const wanted = Array.from({ length: 20 }, (_, index) => [`old old.x 1 o${index}`, `new new.x 1 n${index}`]).flat();
    expect(seen.sort()).toEqual(wanted.sort());
  });

  it("R6 what a stopped instance wants is kept for it within the grace", async () => {
    const world = new World();
    const seen: string[] = [];
    const before = await world.start([old(seen)]);
    await before.stop();
    const app = await world.start([next(seen)]);
    await app.newEvent("old.x", {}, { id: "o" });
    await world.clock.advance("9m");
    expect(seen).toEqual([]);
    await world.start([old(seen)]);
    await world.clock.advance("2m");
    expect(seen).toEqual(["old old.x 1 o"]);
  });

  it("R6 a dropped pattern calls no handler, and after the grace is not routed any more", async () => {
    const world = new World();
    const seen: string[] = [];
    await (await world.start([old(seen)])).stop();
    const app = await world.start([next(seen)]);
    await world.clock.advance("11m");
    await app.newEvent("old.x", {});
    expect((await app.stats()).log).toMatchObject({ ready: 0, inFlight: 0, waiting: 0 });
    await app.newEvent("a", {}, { id: "a" });
    await world.clock.settled();
    expect(seen).toEqual(["new a 1 a"]);
  });

  it("R6 what came before its pattern was withdrawn is dropped, not handled", async () => {
    const world = new World();
    const seen: string[] = [];
    const before = await world.start([old(seen)]);
    await before.stop();
    const publisher = await world.publisher();
    await publisher.newEvent("old.x", {});
    const app = await world.start([next(seen)]);
    await world.clock.advance("15m");
    expect(seen).toEqual([]);
    expect((await app.stats()).log).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
  });

  it("R6 the grace counts only while another instance lives", async () => {
    const world = new World();
    const seen: string[] = [];
    await (await world.start([old(seen)])).stop();
    await world.clock.advance("1h");
    const app = await world.start([next(seen)]);
    await world.clock.advance("5m");
    await app.newEvent("old.x", {}, { id: "o" });
    await world.start([old(seen)]);
    await world.clock.advance("2m");
    expect(seen).toEqual(["old old.x 1 o"]);
  });

  it("R6 declarationGrace sets the grace", async () => {
    const world = new World();
    const seen: string[] = [];
    await (await world.start([old(seen)])).stop();
    const app = await world.start([next(seen)], { declarationGrace: "10s" });
    await world.clock.advance("12s");
    await app.newEvent("old.x", {});
    expect((await app.stats()).log).toMatchObject({ ready: 0, waiting: 0 });
  });

  it("R6 an event that a handler has failed on or a person has redriven is not dropped but dead-lettered", async () => {
    const world = new World();
    const fails = useCase("log", { on: ["old.*"], retries: 1, retryDelay: "30m" }, () => {
      throw new Error("fails");
    });
    const before = await world.start([fails]);
    await before.newEvent("old.retried", {});
    await world.clock.settled();
    await before.stop();
    const app = await world.start([next([])]);
    await world.clock.advance("31m");
    expect(await reasonsOf(app, "log")).toEqual(["unknown-event"]);
    await app.deadLetters("log").redrive("all");
    await world.clock.settled();
    expect(await reasonsOf(app, "log")).toEqual(["unknown-event"]);
  });

  it("R6 an event on its second attempt is forwarded as that, whoever gets it in between", async () => {
    const world = new World();
    const attempts: number[] = [];
    const fails = useCase("log", { on: "old.*", retries: 1, retryDelay: "5s" }, (_, { attempt }) => {
      attempts.push(attempt);
      throw new Error("fails");
    });
    await world.start([next([])]);
    await world.start([next([])]);
    const app = await world.start([fails]);
    await app.newEvent("old.x", {});
    for (let minute = 0; minute < 100 && attempts.length < 2; minute += 1) await world.clock.advance("1m");
    expect(attempts).toEqual([1, 2]);
    expect(await reasonsOf(app, "log")).toEqual(["retries-exhausted"]);
  });

  it("R6 a pattern that one of several instances still shows is not withdrawn", async () => {
    const world = new World();
    const seen: string[] = [];
    await world.start([old(seen)]);
    const app = await world.start([next([])]);
    await world.clock.advance("2h");
    await app.newEvent("old.x", {}, { id: "o" });
    for (let minute = 0; minute < 100 && seen.length === 0; minute += 1) await world.clock.advance("1m");
    expect(seen).toEqual(["old old.x 1 o"]);
  });

  // The matcher once took the two for one pattern, and unbound both.
  it("R6 withdrawing a pattern leaves another that matches the same names", async () => {
    const world = new World();
    const seen: string[] = [];
    await (await world.start([useCase("log", { on: "a.#.#" }, () => {})])).stop();
    const app = await world.start([useCase("log", { on: "a.#" }, (_, { eventName }) => void seen.push(eventName))]);
    await world.clock.advance("30m");
    await app.newEvent("a.b", {});
    await world.clock.settled();
    expect(seen).toEqual(["a.b"]);
  });
});
