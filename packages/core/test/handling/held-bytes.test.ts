import { describe, expect, it } from "vitest";
import { HeldBytes } from "../../src/handling/held-bytes.ts";
import { type PapaApp, useCase } from "../../src/index.ts";
import type { Settled } from "../../src/transport.ts";
import { FakeTransport, started, turns } from "../support.ts";

describe("H9 held bytes", () => {
  it("half of them is for reading ahead, shared by the use cases", () => {
    expect(new HeldBytes(1_000, 1, () => {}).readAhead).toBe(500);
    expect(new HeldBytes(1_000, 5, () => {}).readAhead).toBe(100);
    // An app that only publishes.
    expect(new HeldBytes(1_000, 0, () => {}).readAhead).toBe(500);
  });

  it("the other half is for what is handled and not stored; while it is full there is no room", () => {
    let room = 0;
    const held = new HeldBytes(1_000, 1, () => (room += 1));
    held.settling(499);
    expect(held.hasRoom).toBe(true);
    held.settling(1);
    expect(held.hasRoom).toBe(false);
    held.settling(700);
    held.settled(500);
    expect([held.hasRoom, room]).toEqual([false, 0]);
    held.settled(499);
    expect([held.hasRoom, room]).toEqual([true, 1]);
  });

  it("tells of room once, when there is some again, and not where there was", () => {
    let room = 0;
    const held = new HeldBytes(1_000, 1, () => (room += 1));
    held.settling(100);
    held.settled(100);
    expect(room).toBe(0);
    held.settling(600);
    held.settling(10);
    held.settled(300);
    held.settled(300);
    expect(room).toBe(1);
  });
});

describe("H9 in an app", () => {
  /** An app whose broker stores nothing until the test says so. */
  async function unstored(body: string, output: unknown) {
    const transport = new FakeTransport();
    const pending: (() => void)[] = [];
    transport.onSettle = () => new Promise<Settled>((resolve) => pending.push(() => resolve("stored")));
    let handled = 0;
    const returns = useCase("returns", { on: "#" }, () => {
      handled += 1;
      return { name: "b", payload: output };
    });
    const app: PapaApp = await started(transport, [returns], { maxHeldBytes: 20_000 });
    const settled = Array.from({ length: 100 }, () =>
      transport.deliver("returns", { name: "a", body: Buffer.from(JSON.stringify(body)) }),
    );
    await turns(50);
    return { pending, settled, app, handled: () => handled };
  }

  it.each([
    ["their bodies", "x".repeat(998), "", 10],
    ["the events they return", "", "x".repeat(998), 10],
    ["both", "x".repeat(998), "x".repeat(998), 5],
  ])(
    "handlers are called until half of maxHeldBytes is unstored, by %s, and go on as it is stored",
    async (_, body, output, most) => {
      const { pending, settled, handled } = await unstored(body, output);
      expect(handled()).toBeGreaterThanOrEqual(most);
      // Those that were under way when the last of the room went.
      expect(handled()).toBeLessThanOrEqual(most + 20);
      const before = handled();
      for (let stored = 0; stored < before; stored += 1) {
        pending[stored]?.();
        await turns(2);
        expect(handled() - stored - 1).toBeLessThanOrEqual(most + 20);
      }
      expect(handled()).toBeGreaterThan(before);
      while (handled() < 100 || pending.length < 100) {
        for (const store of pending) store();
        await turns(2);
      }
      for (const store of pending) store();
      await Promise.all(settled);
    },
  );
});
