import { PapaApp, useCase } from "@papa-events/core";
import { describe, expect, it } from "vitest";
import { memory } from "../../src/index.ts";
import { Gate, silent, until, World } from "../support.ts";

describe("L3 a lost connection", () => {
  it("H2 handlers of before it count for the concurrency as long as they run", async () => {
    const world = new World();
    const gate = new Gate();
    let running = 0;
    let most = 0;
    let calls = 0;
    const app = await world.start([
      useCase("slow", { on: "a", concurrency: 2 }, async () => {
        calls += 1;
        running += 1;
        most = Math.max(most, running);
        await gate.opened;
        running -= 1;
      }),
    ]);
    await app.newEvents([1, 2].map((payload) => ({ name: "a", payload })));
    await until(() => running === 2, "two at work");
    world.transport.disconnect();
    world.transport.reconnect();
    await until(async () => (await app.stats()).slow?.inFlight === 2, "both handed out again");
    expect(calls).toBe(2);
    gate.open();
    await world.clock.settled();
    expect([most, calls]).toEqual([2, 4]);
    expect((await app.stats()).slow).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
  });

  it("H1 the outputs of a handler whose delivery was lost are published once, by the redelivery", async () => {
    const world = new World();
    const gate = new Gate();
    let calls = 0;
    const outputs: unknown[] = [];
    const app = await world.start([
      useCase("slow", { on: "a" }, async () => {
        calls += 1;
        const call = calls;
        if (call === 1) await gate.opened;
        return { name: "out", payload: call };
      }),
      useCase("out", { on: "out" }, (payload) => void outputs.push(payload)),
    ]);
    await app.newEvent("a", 1);
    await until(() => calls === 1, "the first at work");
    world.transport.disconnect();
    world.transport.reconnect();
    await until(() => calls === 2, "the second");
    gate.open();
    await world.clock.settled();
    expect(outputs).toEqual([2]);
  });

  it("P2 a handler that publishes meanwhile waits, and goes on after it", async () => {
    const world = new World();
    const seen: unknown[] = [];
    const app: PapaApp = await world.start([
      useCase("publishes", { on: "a" }, async () => {
        world.transport.disconnect();
        await app.newEvent("b", 1);
        seen.push("published");
      }),
      useCase("log", { on: "b" }, (payload) => void seen.push(payload)),
    ]);
    await app.newEvent("a", 1);
    await until(() => !app.health().connected, "the cut");
    expect(seen).toEqual([]);
    // The cut has taken its delivery from it; the redelivery cuts again.
    for (let time = 0; time < 10; time += 1) {
      world.transport.reconnect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen).toContain("published");
    expect(seen).toContain(1);
  });

  it("T6 however often it is lost, an event becomes no dead letter while its process lives", async () => {
    const transport = memory();
    await using app = new PapaApp({ transport, logger: silent, crashLimit: 1 });
    let calls = 0;
    let gate = new Gate();
    app.onEvent("a", { useCase: "slow", retries: 0 }, async () => {
      calls += 1;
      await gate.opened;
    });
    await app.start();
    await app.newEvent("a", 1);
    for (let cut = 1; cut <= 6; cut += 1) {
      await until(() => calls === cut, `delivery ${cut}`);
      transport.disconnect();
      transport.reconnect();
      // A suspect by now: the record of its trial is taken back when it ends, since its process lives.
      gate.open();
      gate = new Gate();
    }
    await until(() => calls === 7, "the last delivery");
    gate.open();
    await transport.settled();
    expect((await app.stats()).slow).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
  });

  it("a use case that starts while it is lost is refused, and can be started after it", async () => {
    const world = new World();
    const app = await world.publisher();
    world.transport.disconnect();
    expect(app.health()).toMatchObject({ healthy: false, connected: false });
    expect(app.health().reasons).toMatchObject([
      { subject: "connection", message: "The connection to the broker in memory is lost." },
    ]);
    const late = new PapaApp({ transport: world.transport, logger: silent }).onEvent("a", { useCase: "log" }, () => {});
    await expect(late.start()).rejects.toMatchObject({ code: "connection-failed", retryable: true });
    await expect(app.deadLetters("log").count()).rejects.toMatchObject({ code: "connection-failed" });
    world.transport.reconnect();
    await expect(app.deadLetters("log").count()).rejects.toMatchObject({ code: "unknown-use-case" });
    await late.start();
    expect(await app.deadLetters("log").count()).toBe(0);
    await late.stop();
  });
});
