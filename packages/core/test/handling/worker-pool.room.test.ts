import { virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { useCase } from "../../src/index.ts";
import { FakeTransport, started, turns } from "../support.ts";

/** Ten of them are more than what is held of settlements that are not stored. */
const large = { body: Buffer.from(JSON.stringify("x".repeat(400))) };
const maxHeldBytes = 800;

describe("H9 room for what is not stored yet", () => {
  // The last room once came back in the very turn in which a worker ended, and nobody began the next handler.
  it.each(Array.from({ length: 12 }, (_, ticks) => ticks))("is used where it comes back %d ticks after a handler", async (ticks) => {
    const transport = new FakeTransport();
    transport.onSettle = async () => {
      for (let tick = 0; tick < ticks; tick += 1) await undefined;
      return "stored";
    };
    const handled: string[] = [];
    const log = useCase("log", { on: "#", concurrency: 1 }, (_, { id }) => {
      handled.push(id);
      return { name: "b", payload: 1 };
    });
    await started(transport, [log], { maxHeldBytes });
    const settled = ["1", "2", "3"].map((id) => transport.deliver("log", { name: "a", id, ...large }));
    await turns();
    expect(handled).toEqual(["1", "2", "3"]);
    await Promise.all(settled);
  });

  it("is not taken by a handler that goes on after its timeout: what became of its event is stored", async () => {
    const transport = new FakeTransport();
    const clock = virtualClock({ start: 0 });
    transport.clock = clock;
    const begun: string[] = [];
    let end: () => void = () => {};
    const log = useCase("log", { on: "#", concurrency: 2, timeout: 100 }, async (_, { id }) => {
      begun.push(id);
      if (id === "hangs") await new Promise<void>((resolve) => (end = resolve));
    });
    await started(transport, [log], { maxHeldBytes });
    void transport.deliver("log", { name: "a", id: "hangs", ...large });
    await turns();
    await clock.advance(100);
    void transport.deliver("log", { name: "a", id: "next", ...large });
    await turns();
    expect(begun).toEqual(["hangs", "next"]);
    end();
  });
});
