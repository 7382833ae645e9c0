import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { useCase } from "../../src/index.ts";
import type { Settlement, ShownPattern } from "../../src/transport.ts";
import { FakeTransport, silent, started, turns } from "../support.ts";

const MINUTE = 60_000;

/** An instance that wants "new.*" of a use case whose declarations are what the test says. */
async function instance(declared: () => readonly ShownPattern[], options: { complete?: boolean } = {}) {
  const transport = new FakeTransport();
  const clock = virtualClock({ start: 0 });
  transport.clock = clock;
  transport.capabilities = { ...transport.capabilities, declarationsComplete: options.complete ?? true };
  transport.onDeclarations = declared;
  const warnings: string[] = [];
  const logger = { ...silent, warn: (_: object, message = "") => void warnings.push(message) };
  const app = await started(transport, [useCase("log", { on: "new.*" }, () => {})], { logger });
  return { transport, clock, warnings, app };
}

function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

const handedOn = (settlement: Settlement) => (settlement.kind === "hand-on" ? settlement.event : undefined);

describe("R6 what becomes of an event that no pattern of this instance matches", () => {
  it("it is handed on where another declaration wants it: half to all of 250 ms, then doubled up to a minute", async () => {
    const { transport } = await instance(() => [{ pattern: "old.*", idle: 0 }]);
    let event: Parameters<typeof transport.deliver>[1] = { name: "old.x", id: "1", headers: { tenant: "a" } };
    for (const longest of [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, MINUTE, MINUTE]) {
      const settlement = await transport.deliver("log", event, { attempt: 3 });
      if (settlement.kind !== "hand-on") throw new Error(settlement.kind);
      expect(settlement.delay).toBeGreaterThanOrEqual(longest / 2);
      expect(settlement.delay).toBeLessThanOrEqual(longest);
      event = settlement.event;
    }
    expect(event).toMatchObject({ name: "old.x", id: "1", headers: { tenant: "a", papa_handed_on: "10" } });
  });

  it("it is dropped where none does", async () => {
    const { transport } = await instance(() => [{ pattern: "other", idle: 0 }]);
    expect(await transport.deliver("log", { name: "old.x" })).toEqual({ kind: "done", outputs: [] });
  });

  it.each([
    ["has failed before", {}, 2],
    ["was redriven", { papa_redriven: "1" }, 1],
  ])("one that %s is not dropped but becomes a dead letter", async (_, headers, attempt) => {
    const { transport } = await instance(() => []);
    expect(await transport.deliver("log", { name: "old.x", headers }, { attempt })).toMatchObject({
      kind: "dead",
      event: {
        headers: { papa_reason: "unknown-event", papa_error_message: 'No pattern of "log" matches "old.x" any more.' },
      },
    });
  });

  it("it is handed on where the declarations cannot be read", async () => {
    const { transport, warnings } = await instance(() => {
      throw new Error("cut");
    });
    expect(handedOn(await transport.deliver("log", { name: "old.x" }))).toBeDefined();
    expect(warnings).toEqual(["The declarations could not be read; the event is handed on."]);
  });

  it("where the broker does not know all declarations, it is handed on for the grace before it is dropped", async () => {
    const { transport, clock, warnings } = await instance(() => [], { complete: false });
    const event = handedOn(await transport.deliver("log", { name: "old.x" }));
    await clock.advance("9m");
    const later = handedOn(await transport.deliver("log", event ?? {}));
    expect(later?.headers.papa_handed_on_since).toBe("1970-01-01T00:00:00.000Z");
    await clock.advance("2m");
    expect(await transport.deliver("log", later ?? {})).toEqual({ kind: "done", outputs: [] });
    expect(warnings.at(-1)).toMatch(/was dropped after the grace/);
  });

  it("an event of its own it never hands on", async () => {
    const { transport } = await instance(() => {
      throw new Error("nobody asks");
    });
    expect((await transport.deliver("log", { name: "new.x" })).kind).toBe("done");
  });

  it("names of any length and number do not fill the memory", async () => {
    const { transport } = await instance(() => []);
    const before = heapInUse();
    for (let index = 0; index < 300; index += 1) {
      await transport.deliver("log", { name: `${index}${"x".repeat(1_000_000)}` });
    }
    expect(heapInUse() - before).toBeLessThan(100_000_000);
  });
});

describe("R6 keeping declarations", () => {
  it("shows them ten times within the grace, and no more after stop()", async () => {
    const { transport, clock, app } = await instance(() => []);
    let shown = 0;
    transport.onDeclare = () => void (shown += 1);
    await clock.advance("10m");
    expect(shown).toBe(10);
    await app.stop();
    await clock.advance("10m");
    expect(shown).toBe(10);
  });

  it("withdraws what nobody has shown for the grace, once it has lived that long itself", async () => {
    const declared = [
      { pattern: "old.*", idle: 10 * MINUTE },
      { pattern: "other.*", idle: 10 * MINUTE - 1 },
    ];
    const { transport, clock } = await instance(() => declared);
    await clock.advance("9m");
    expect(transport.withdrawn).toEqual([]);
    await clock.advance("1m");
    expect(transport.withdrawn).toEqual(["old.*"]);
  });

  // A broker so slow that what was just shown seems old.
  it("never withdraws its own", async () => {
    const { transport, clock } = await instance(() => [{ pattern: "new.*", idle: 60 * MINUTE }]);
    await clock.advance("30m");
    expect(transport.withdrawn).toEqual([]);
  });

  it("goes on when the broker refuses once", async () => {
    const { transport, clock, warnings } = await instance(() => []);
    let shown = 0;
    transport.onDeclare = () => {
      shown += 1;
      if (shown === 1) throw new Error("cut");
    };
    await clock.advance("3m");
    await turns();
    expect([shown, warnings]).toEqual([3, ["The declarations could not be refreshed; it is tried again."]]);
  });
});
