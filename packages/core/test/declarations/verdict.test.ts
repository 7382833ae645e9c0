import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { useCase } from "../../src/index.ts";
import type { DeclarationRecord, ReceivedEvent, Settlement } from "../../src/transport.ts";
import { reviveDeadLetter } from "../../src/wire/dead-letter.ts";
import { FakeTransport, silent, started } from "../support.ts";

const MINUTE = 60_000;

/** A declaration of the use case by another instance, which lives unless it has been idle for long. */
const declared = (pattern: string, record: Partial<DeclarationRecord> = {}): DeclarationRecord => ({
  useCase: "log",
  patterns: [pattern],
  idle: 0,
  ...record,
});

/** An instance that accepts "new.*" of a use case whose declarations are what the test says. */
async function instance(declarations: () => readonly DeclarationRecord[], { complete = true } = {}) {
  const transport = new FakeTransport();
  const clock = virtualClock({ start: 0 });
  transport.clock = clock;
  transport.capabilities = { ...transport.capabilities, declarationsComplete: complete };
  transport.onList = declarations;
  const warnings: string[] = [];
  const logger = { ...silent, warn: (_: object, message = "") => void warnings.push(message) };
  const app = await started(transport, [useCase("log", { on: "new.*" }, () => {})], { logger });
  warnings.length = 0;
  return { transport, clock, warnings, app };
}

function forwarded(settlement: Settlement): Extract<Settlement, { kind: "forward" }> {
  if (settlement.kind !== "forward") throw new Error(`It is ${settlement.kind}.`);
  return settlement;
}

function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

describe("R6 an event that another declaration accepts", () => {
  it("is forwarded to a live instance's declaration, soon, attempt and id unchanged", async () => {
    const { transport } = await instance(() => [declared("old.*", { id: "other-declaration" })]);
    const event = { name: "old.x", id: "1", headers: { tenant: "a", papa_attempt: "3" } };
    const settlement = forwarded(await transport.deliver("log", event, { attempt: 3 }));
    expect(settlement.to).toBe("other-declaration");
    expect(settlement.delay).toBeGreaterThanOrEqual(50);
    expect(settlement.delay).toBeLessThanOrEqual(100);
    expect(settlement.event).toMatchObject({
      name: "old.x",
      id: "1",
      headers: { tenant: "a", papa_attempt: "3", papa_forwarded: "1" },
    });
  });

  it("needs one look at the broker a second, while a live instance accepts it", async () => {
    let looks = 0;
    const { transport, clock } = await instance(() => {
      looks += 1;
      return [declared("old.*")];
    });
    looks = 0;
    const forwardOne = async () => forwarded(await transport.deliver("log", { name: "old.x", id: "1" }));
    for (let each = 0; each < 20; each += 1) await forwardOne();
    expect(looks).toBe(1);
    await clock.advance(1_001);
    await forwardOne();
    expect(looks).toBe(2);
  });

  it("is looked at anew before it is dropped, and where no live instance accepts it", async () => {
    let others = [declared("other.*"), declared("old.*", { idle: MINUTE * 9 })];
    const { transport } = await instance(() => others);
    forwarded(await transport.deliver("log", { name: "old.x", id: "1" }));
    others = [declared("old.*", { id: "started" }), declared("new.old")];
    expect(forwarded(await transport.deliver("log", { name: "old.x", id: "1" })).to).toBe("started");
    others = [declared("withdrawn", { id: "since" })];
    expect(forwarded(await transport.deliver("log", { name: "withdrawn", id: "2" })).to).toBe("since");
  });

  // Each time by chance: with one instance in six that accepts it, a wait that grows would make it late.
  it("hurries for 50 rounds while an instance lives that accepts it, and then slows down", async () => {
    const { transport } = await instance(() => [declared("old.*")]);
    let event: Partial<ReceivedEvent> = { name: "old.x", id: "1" };
    for (let round = 1; round <= 50; round += 1) {
      const settlement = forwarded(await transport.deliver("log", event));
      expect(settlement.delay, `round ${round}`).toBeLessThanOrEqual(100);
      event = settlement.event;
    }
    expect(event.headers).toMatchObject({ papa_forwarded: "50" });
    expect(forwarded(await transport.deliver("log", event)).delay).toBeGreaterThanOrEqual(125);
  });

  it.each([
    [0, 250],
    [400, 250],
    [4_000, 2_000],
    [30_000, 15_000],
    [10 * MINUTE, MINUTE],
    // By the clock of another machine.
    [-10 * MINUTE, MINUTE],
  ])("waits for an instance that is gone, after %i ms half to all of %i ms", async (elapsed, longest) => {
    const { transport, clock } = await instance(() => [declared("old.*", { id: "gone", idle: 3 * MINUTE })]);
    const papa_forwarded_since = new Date(clock.now() - elapsed).toISOString();
    const event = { name: "old.x", id: "1", headers: { tenant: "a", papa_forwarded: "9", papa_forwarded_since } };
    const settlement = forwarded(await transport.deliver("log", event, { attempt: 3 }));
    expect(settlement.to).toBeUndefined();
    expect(settlement.delay).toBeGreaterThanOrEqual(longest / 2);
    expect(settlement.delay).toBeLessThanOrEqual(longest);
    expect(settlement.event).toMatchObject({ name: "old.x", id: "1", headers: { tenant: "a", papa_forwarded: "10" } });
  });

  it("goes to each of several live declarations that accept it, and to none that does not or is gone", async () => {
    const { transport } = await instance(() => [
      declared("old.*", { id: "one" }),
      declared("#", { id: "two", idle: 3 * MINUTE - 1 }),
      declared("old.y", { id: "does not accept it" }),
      declared("old.#", { id: "gone", idle: 3 * MINUTE }),
    ]);
    const seen = new Set<string | undefined>();
    // Either of two misses 60 times once in 10^18.
    for (let index = 0; index < 60; index += 1)
      seen.add(forwarded(await transport.deliver("log", { name: "old.x" })).to);
    expect([...seen].sort()).toEqual(["one", "two"]);
  });

  it("waits for a time that chance shortens, so that events which wait alike meet different instances", async () => {
    const { transport } = await instance(() => [declared("old.*")]);
    const delays = new Set<number>();
    for (let index = 0; index < 50; index += 1)
      delays.add(forwarded(await transport.deliver("log", { name: "old.x" })).delay);
    expect(delays.size).toBeGreaterThan(40);
  });

  it("is forwarded where the declarations cannot be read, to nobody in particular", async () => {
    let broken = false;
    const { transport, warnings } = await instance(() => {
      if (broken) throw new Error("cut");
      return [];
    });
    broken = true;
    const settlement = forwarded(await transport.deliver("log", { name: "old.x" }));
    expect([settlement.to, settlement.delay <= 250]).toEqual([undefined, true]);
    expect(warnings).toEqual(["The declarations could not be read; the event is forwarded."]);
  });

  it("starts to wait anew once it has found its handler and failed", async () => {
    const { transport } = await instance(() => [declared("old.*")]);
    const headers = { papa_forwarded: "40", papa_forwarded_since: "1970-01-01T00:00:00.000Z" };
    const fails = useCase("fails", { on: "#" }, () => {
      throw new Error("no");
    });
    const other = new FakeTransport();
    await started(other, [fails]);
    const retry = await other.deliver("fails", { name: "old.x", headers });
    if (retry.kind !== "retry") throw new Error("It is to be retried.");
    const settlement = forwarded(await transport.deliver("log", retry.event, { attempt: 2 }));
    expect(settlement.event.headers).toMatchObject({ papa_forwarded: "1", papa_attempt: "2" });
  });
});

describe("R6 an event that no declaration accepts", () => {
  it("is dropped", async () => {
    const { transport, warnings } = await instance(() => [declared("other")]);
    expect(await transport.deliver("log", { name: "old.x" })).toEqual({ kind: "done", outputs: [] });
    expect(warnings).toEqual([]);
  });

  it.each([
    ["has failed before", {}, 2],
    ["was redriven", { papa_redriven: "1" }, 1],
  ])("is not dropped but becomes a dead letter where it %s", async (_, headers, attempt) => {
    const { transport } = await instance(() => []);
    expect(await transport.deliver("log", { name: "old.x", headers }, { attempt })).toMatchObject({
      kind: "dead",
      event: {
        headers: { papa_reason: "unknown-event", papa_error_message: 'No pattern of "log" matches "old.x" any more.' },
      },
    });
  });

  it("is forwarded for the grace before it is dropped, where the broker does not know all declarations", async () => {
    const { transport, clock, warnings } = await instance(() => [], { complete: false });
    const { event } = forwarded(await transport.deliver("log", { name: "old.x" }));
    await clock.advance("9m");
    const later = forwarded(await transport.deliver("log", event));
    expect(later.to).toBeUndefined();
    expect(later.event.headers.papa_forwarded_since).toBe("1970-01-01T00:00:00.000Z");
    await clock.advance("59s");
    expect((await transport.deliver("log", later.event)).kind).toBe("forward");
    await clock.advance("1s");
    expect(await transport.deliver("log", later.event)).toEqual({ kind: "done", outputs: [] });
    expect(warnings.at(-1)).toMatch(/was dropped after the grace/);
  });

  it("is a dead letter where it has no name, and logged", async () => {
    const lines: string[] = [];
    const transport = new FakeTransport();
    const logger = { ...silent, error: (_: object, message = "") => void lines.push(message) };
    await started(transport, [useCase("log", { on: "#" }, () => {})], { logger });
    expect(await transport.deliver("log", {})).toMatchObject({
      kind: "dead",
      event: { headers: { papa_reason: "unknown-event", papa_error_message: "The event has no name." } },
    });
    expect(lines[0]).toBe("An event has no name: neither the broker nor a header ce_type gives one.");
  });
});

describe("L5 an event that was put straight into the use case's queue", () => {
  it("is handled under a name that no pattern matches, at once, also where not all declarations are known", async () => {
    for (const complete of [true, false]) {
      const { transport } = await instance(() => [declared("old.*", { id: "one" })], { complete });
      expect(await transport.deliver("log", { name: "log", direct: true })).toEqual({ kind: "done", outputs: [] });
    }
  });

  it("is forwarded where another declaration accepts its name", async () => {
    const { transport } = await instance(() => [declared("old.*", { id: "one" })]);
    const { event } = forwarded(await transport.deliver("log", { name: "old.x", direct: true }));
    expect(event.headers).toMatchObject({ papa_direct: "1", papa_forwarded: "1" });
  });

  it("is known as that on its retries, as a dead letter and when it is redriven", async () => {
    const transport = new FakeTransport();
    let attempts = 0;
    const fails = useCase("fails", { on: "new.*", retries: 1 }, (_, { eventName }) => {
      attempts += 1;
      throw new Error(eventName);
    });
    await started(transport, [fails]);
    const retry = await transport.deliver("fails", { name: "fails", direct: true });
    if (retry.kind !== "retry") throw new Error(`It is ${retry.kind}.`);
    const dead = await transport.deliver("fails", retry.event, { attempt: 2 });
    if (dead.kind !== "dead") throw new Error(`It is ${dead.kind}.`);
    expect([attempts, dead.event.headers.papa_reason]).toEqual([2, "retries-exhausted"]);
    const redriven = reviveDeadLetter({ id: "1", event: dead.event });
    expect((await transport.deliver("fails", redriven)).kind).toBe("retry");
    expect(attempts).toBe(3);
  });
});

describe("an event that this instance accepts", () => {
  it("is handled, and nobody asks what is declared", async () => {
    const { transport } = await instance(() => []);
    let asked = 0;
    transport.onList = () => {
      asked += 1;
      throw new Error("nobody asks");
    };
    expect((await transport.deliver("log", { name: "new.x" })).kind).toBe("done");
    expect((await transport.deliver("log", { name: "new.x" })).kind).toBe("done");
    expect(asked).toBe(0);
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
