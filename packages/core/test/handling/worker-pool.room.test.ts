import { virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it, onTestFinished } from "vitest";
import { useCase } from "../../src/index.ts";
import { FakeTransport, started, turns } from "../support.ts";

/** One of them is all that may wait to be stored. */
const large = { body: Buffer.from(JSON.stringify("x".repeat(400))) };
const maxHeldBytes = 800;

describe("H9 room for what is not stored yet", () => {
  // It once came back just after a worker had found none and just before it counted as free: nobody began the next handler.
  it.each(Array.from({ length: 24 }, (_, ticks) => ticks))(
    "is used by a worker that ends %d ticks after it was asked for",
    async (ticks) => {
      const transport = new FakeTransport();
      const wait = async (count: number) => {
        for (let tick = 0; tick < count; tick += 1) await undefined;
      };
      transport.onSettle = async () => {
        await wait(5);
        return "stored";
      };
      const handled: string[] = [];
      const one = useCase("one", { on: "#" }, () => ({ name: "b", payload: 1 }));
      const two = useCase("two", { on: "#", concurrency: 1 }, async (_, { id }) => {
        handled.push(id);
        await wait(ticks);
      });
      await started(transport, [one, two], { maxHeldBytes });
      void transport.deliver("one", { name: "a", ...large });
      void transport.deliver("two", { name: "a", id: "1" });
      void transport.deliver("two", { name: "a", id: "2" });
      await turns();
      expect(handled).toEqual(["1", "2"]);
    },
  );

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
    onTestFinished(() => end());
    void transport.deliver("log", { name: "a", id: "hangs", ...large });
    await turns();
    await clock.advance(100);
    void transport.deliver("log", { name: "a", id: "next", ...large });
    await turns();
    expect(begun).toEqual(["hangs", "next"]);
  });
});
