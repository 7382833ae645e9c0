import { PapaApp, useCase } from "@papa-events/core";
import { describe, expect, it } from "vitest";
import { memory } from "../../src/index.ts";
import { silent, World } from "../support.ts";

describe("routing", () => {
  it("R1 what is published while no instance of a started use case runs reaches it later, whoever publishes it", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const log = useCase("log", { on: "user.*" }, (payload) => void seen.push(payload));
    const first = await world.start([log]);
    await first.stop();
    const stranger = await world.publisher();
    await stranger.newEvent("user.created", 1);
    await stranger.newEvent("user.deleted", 2);
    await world.start([log]);
    await world.clock.settled();
    expect(seen).toEqual([1, 2]);
  });

  it("R1 an event published in the turn after start() resolved is delivered", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const app = await world.start([useCase("log", { on: "a" }, (payload) => void seen.push(payload))]);
    await app.newEvent("a", "first");
    await world.clock.settled();
    expect(seen).toEqual(["first"]);
  });

  it("R2 an event that several patterns of one use case match is delivered to it once", async () => {
    const world = new World();
    const seen: string[] = [];
    const on = ["user.created", "user.*", "*.created", "#", "user.#", "#.created"];
    const app = await world.start([useCase("log", { on }, (_, { eventName }) => void seen.push(eventName))]);
    await app.newEvent("user.created", {});
    await world.clock.settled();
    expect(seen).toEqual(["user.created"]);
  });

  it("R3 each use case gets its own copy, and failing in one is invisible to the others", async () => {
    const world = new World();
    const calls: Record<string, number[]> = { fails: [], dies: [], works: [] };
    const app = await world.start([
      useCase("fails", { on: "#", retries: 2 }, (_, { attempt }) => {
        calls.fails?.push(attempt);
        throw new Error("fails");
      }),
      useCase("dies", { on: "#", retries: 0 }, (_, { attempt }) => {
        calls.dies?.push(attempt);
        throw new Error("dies");
      }),
      useCase("works", { on: "#" }, (_, { attempt }) => void calls.works?.push(attempt)),
    ]);
    await app.newEvent("user.created", {});
    await world.clock.advance("1m");
    expect(calls).toEqual({ fails: [1, 2, 3], dies: [1], works: [1] });
    expect((await app.stats()).works).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
  });

  it("R3 a handler that changes its payload changes nobody else's", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const change = (payload: unknown) => {
      seen.push(structuredClone(payload));
      (payload as { list: number[] }).list.push(99);
    };
    const app = await world.start([useCase("one", { on: "a" }, change), useCase("two", { on: "a" }, change)]);
    await app.newEvent("a", { list: [1] });
    await world.clock.settled();
    expect(seen).toEqual([{ list: [1] }, { list: [1] }]);
  });

  it("R4 delivers exactly what the patterns match", async () => {
    const world = new World();
    const seen: string[] = [];
    const patterns = ["user", "user.*", "user.#", "*", "#.eu", "user.*.eu", "#"];
    const app = await world.start(
      patterns.map((on, index) =>
        useCase(`case_${index}`, { on }, (_, { eventName }) => void seen.push(`${on} <- ${eventName}`)),
      ),
    );
    for (const name of ["user", "user.created", "user.created.eu", "eu"]) await app.newEvent(name, {});
    await world.clock.settled();
    expect(seen.sort()).toEqual(
      [
        "user <- user",
        "user.* <- user.created",
        "user.# <- user",
        "user.# <- user.created",
        "user.# <- user.created.eu",
        "* <- user",
        "* <- eu",
        "#.eu <- user.created.eu",
        "#.eu <- eu",
        "user.*.eu <- user.created.eu",
        "# <- user",
        "# <- user.created",
        "# <- user.created.eu",
        "# <- eu",
      ].sort(),
    );
  });

  it("R5 an event that no use case wants is accepted, and a use case declared later does not get it", async () => {
    const world = new World();
    const app = await world.publisher();
    await expect(app.newEvent("nobody.wants.this", {})).resolves.toHaveProperty("id");
    const seen: unknown[] = [];
    await world.start([useCase("late", { on: "#" }, (payload) => void seen.push(payload))]);
    await world.clock.settled();
    expect(seen).toEqual([]);
  });

  it("R7 the first event of a name never published before reaches wildcard subscribers", async () => {
    const world = new World();
    const seen: string[] = [];
    const app = await world.start([useCase("all", { on: "#" }, (_, { eventName }) => void seen.push(eventName))]);
    await app.newEvent("never.seen.before", {});
    await world.clock.settled();
    expect(seen).toEqual(["never.seen.before"]);
  });

  it("competing instances share the events of a use case, each handled once", async () => {
    const transport = memory();
    const handledBy = new Map<number, number>();
    let left = 200;
    const { promise: all, resolve } = Promise.withResolvers<void>();
    const instance = (number: number) =>
      new PapaApp({ transport, logger: silent, concurrency: 2 }).onEvent("a", { useCase: "shared" }, async () => {
        await new Promise((done) => setImmediate(done));
        handledBy.set(number, (handledBy.get(number) ?? 0) + 1);
        left -= 1;
        if (left === 0) resolve();
      });
    const apps = [instance(1), instance(2), instance(3)];
    for (const app of apps) await app.start();
    await apps[0]?.newEvents(Array.from({ length: 200 }, (_, index) => ({ name: "a", payload: index })));
    await all;
    for (const app of apps) await app.stop();
    expect([...handledBy.keys()].sort()).toEqual([1, 2, 3]);
    expect([...handledBy.values()].reduce((sum, count) => sum + count, 0)).toBe(200);
  });

  it("1,000 use cases on one app start, and each gets its own event", async () => {
    const world = new World();
    const seen = new Set<string>();
    const useCases = Array.from({ length: 1_000 }, (_, index) =>
      useCase(`case_${index}`, { on: `a.b${index}.*` }, (_payload, { useCase: name }) => void seen.add(name)),
    );
    const app = await world.start(useCases);
    await app.newEvents(useCases.map((_, index) => ({ name: `a.b${index}.c`, payload: {} })));
    await world.clock.settled();
    expect(seen.size).toBe(1_000);
  });
});
