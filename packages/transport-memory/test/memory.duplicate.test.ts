import { useCase } from "@papa-events/core";
import { describe, expect, it } from "vitest";
import { World } from "./support.ts";

describe("memory({ duplicate })", () => {
  it("delivers each handled event once more, and no more than that", async () => {
    const world = new World({ duplicate: () => true });
    const seen: unknown[] = [];
    const app = await world.start([
      useCase("one", { on: "a" }, (_, { id, attempt }) => void seen.push(["one", id, attempt])),
      useCase("two", { on: "a" }, (_, { id, attempt }) => void seen.push(["two", id, attempt])),
    ]);
    await app.newEvent("a", 1, { id: "x" });
    await world.clock.settled();
    expect(seen.sort()).toEqual([
      ["one", "x", 1],
      ["one", "x", 1],
      ["two", "x", 1],
      ["two", "x", 1],
    ]);
  });

  it("only those that it picks, also after a retry and a crash", async () => {
    const world = new World({ duplicate: ({ id }) => id === "picked" });
    const seen: string[] = [];
    const log = useCase("log", { on: "a" }, (_, { id, attempt }) => {
      seen.push(`${id} ${attempt}`);
      if (attempt === 1) throw new Error("again");
    });
    const app = await world.start([log]);
    await app.newEvent("a", 1, { id: "picked" });
    await app.newEvent("a", 1, { id: "other" });
    await world.clock.settled();
    world.transport.crash();
    await world.start([log]);
    await world.clock.advance("10s");
    expect(seen.sort()).toEqual(["other 1", "other 2", "picked 1", "picked 2", "picked 2"]);
  });

  it("once also where the duplicate fails, or is forwarded to another instance", async () => {
    const world = new World({ duplicate: ({ name }) => name !== "never" });
    const seen: string[] = [];
    await world.start([useCase("log", { on: "b" }, () => {})]);
    const app = await world.start([
      useCase("log", { on: ["a", "never"] }, (_, { id, attempt }) => {
        seen.push(`${id} ${attempt}`);
        if (seen.length === 2) throw new Error("the duplicate fails");
      }),
    ]);
    await app.newEvent("a", 1, { id: "x" });
    await world.clock.advance("10m");
    expect(seen).toEqual(["x 1", "x 1", "x 2"]);
  });
});
