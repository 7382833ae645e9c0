import { PapaApp, useCase } from "@papa-events/core";
import { describe, expect, it } from "vitest";
import { Gate, silent, until, World } from "../support.ts";

describe("living", () => {
  it("L1 start() is idempotent on the broker: a restart finds its queue as it was", async () => {
    const world = new World();
    const log = useCase("log", { on: "a" }, () => {});
    const app = await world.start([log]);
    await app.stop();
    await (await world.publisher()).newEvent("a", {});
    const again = await world.start([]);
    expect(again.health()).toMatchObject({ healthy: true });
    const second = await world.start([log]);
    await world.clock.settled();
    expect((await second.stats()).log).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
  });

  it("L2 stop() lets running handlers finish, publishes what they return, and hands back what was not started", async () => {
    const world = new World();
    const gate = new Gate();
    const done: unknown[] = [];
    const published: unknown[] = [];
    const slow = (record: unknown[], wait?: Promise<void>) =>
      useCase("slow", { on: "a", concurrency: 2 }, async (payload, { attempt }) => {
        await wait;
        record.push([payload, attempt]);
        return { name: "out", payload };
      });
    const app = await world.start([slow(done, gate.opened)]);
    await world.start([useCase("log", { on: "out" }, (payload) => void published.push(payload))]);
    await app.newEvents([1, 2, 3, 4].map((payload) => ({ name: "a", payload })));
    await until(async () => (await app.stats()).slow?.inFlight === 4, "two at work and two read ahead");
    const stopped = app.stop();
    await until(() => app.health().state === "stopping", "stopping");
    gate.open();
    await stopped;
    expect(done).toEqual([
      [1, 1],
      [2, 1],
    ]);
    const later: unknown[] = [];
    await world.start([slow(later)]);
    await world.clock.settled();
    expect(later).toEqual([
      [3, 1],
      [4, 1],
    ]);
    expect(published).toEqual([1, 2, 3, 4]);
  });

  it("L2 what still runs at drainTimeout comes back with the same attempt number, its signal aborted", async () => {
    const world = new World();
    const gate = new Gate();
    const seen: unknown[] = [];
    const slow = (hold: boolean) =>
      useCase("slow", { on: "a" }, async (_, { attempt, signal }) => {
        seen.push(attempt);
        if (attempt === 1) throw new Error("to the second attempt");
        if (!hold) return;
        signal.addEventListener("abort", () => seen.push("aborted"));
        await gate.opened;
      });
    const app = await world.start([slow(true)], { drainTimeout: "5s" });
    await app.newEvent("a", {});
    await world.clock.settled();
    await Promise.all([world.clock.advance("10s"), until(() => seen.length === 2, "the second attempt")]);
    const stopped = app.stop();
    await world.clock.advance("5s");
    await stopped;
    expect(seen).toEqual([1, 2, "aborted"]);
    await world.start([slow(false)]);
    await world.clock.settled();
    gate.open();
    expect(seen).toEqual([1, 2, "aborted", 2]);
  });

  it("L2 handlers that are drained may still publish; afterwards newEvent is refused", async () => {
    const world = new World();
    const gate = new Gate();
    const seen: unknown[] = [];
    await world.start([useCase("log", { on: "b" }, (payload) => void seen.push(payload))]);
    const app: PapaApp = await world.start([
      useCase("slow", { on: "a" }, async () => {
        await gate.opened;
        await app.newEvent("b", "while stopping");
      }),
    ]);
    await app.newEvent("a", {});
    await until(async () => (await app.stats()).slow?.inFlight === 1, "the handler at work");
    const stopped = app.stop();
    gate.open();
    await stopped;
    await world.clock.settled();
    expect(seen).toEqual(["while stopping"]);
    await expect(app.newEvent("b", {})).rejects.toMatchObject({ code: "stopped" });
  });

  it("L3 after a lost connection an app goes on, and a settlement of before is dropped", async () => {
    const world = new World();
    const gate = new Gate();
    const calls: number[] = [];
    const app = await world.start([
      useCase("slow", { on: "a" }, async () => {
        calls.push(calls.length);
        if (calls.length === 1) {
          await gate.opened;
          throw new Error("of the lost delivery: it must cause no retry");
        }
      }),
    ]);
    await app.newEvent("a", {});
    await until(() => calls.length === 1, "the handler at work");
    world.transport.disconnect();
    expect(app.health()).toMatchObject({ healthy: false, connected: false, state: "running" });
    gate.open();
    world.transport.reconnect();
    await world.clock.advance("1m");
    expect(calls).toHaveLength(2);
    expect((await app.stats()).slow).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
    expect(app.health()).toMatchObject({ healthy: true, connected: true });
  });

  it("a process is kept alive by its app, and ends when it has stopped", async () => {
    const app = new PapaApp({ transport: new World().transport, logger: silent });
    const before = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    await app.start();
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length).toBeGreaterThan(before);
    await app.stop();
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length).toBe(before);
  });

  it("memory({ duplicate }) delivers handled events once more", async () => {
    const world = new World({ duplicate: () => true });
    const ids: string[] = [];
    const app = await world.start([useCase("log", { on: "a" }, (_, { id }) => void ids.push(id))]);
    await app.newEvent("a", {}, { id: "x" });
    await world.clock.settled();
    expect(ids).toEqual(["x", "x"]);
  });
});
