import { type VirtualClock, virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  currentEvent,
  type DeadLetterItem,
  PapaApp,
  type PapaAppOptions,
  PapaError,
  useCase,
} from "../../src/index.ts";
import type { Settled, Settlement } from "../../src/transport.ts";
import { FakeTransport, silent, started, turns } from "../support.ts";

const busy = new PapaError("connection-failed", "busy", { transport: "fake" }, { retryable: true });
const refused = new PapaError("access-refused", "no permission", { transport: "fake" });

const kinds = (settlements: readonly Settlement[]) => settlements.map(({ kind }) => kind);

/** A broker whose time the test moves. */
function brokerInTime(): { readonly transport: FakeTransport; readonly clock: VirtualClock } {
  const transport = new FakeTransport();
  const clock = virtualClock({ start: 0 });
  transport.clock = clock;
  return { transport, clock };
}

/** Notes what is to be stored, and refuses the first so many. */
function refusing(transport: FakeTransport, error: Error, times: number): Settlement[] {
  const asked: Settlement[] = [];
  transport.onSettle = async (settlement) => {
    asked.push(settlement);
    if (asked.length <= times) throw error;
    return "stored";
  };
  return asked;
}

const returnsOne = () => useCase("works", { on: "#" }, () => ({ name: "b", payload: 1 }));
const fails = () =>
  useCase("fails", { on: "#", retries: 1 }, () => {
    throw new Error("fails");
  });

/** Stops an app whose settlements are never stored, which would wait for the drain timeout. */
async function stopInTime(app: PapaApp, clock: VirtualClock): Promise<void> {
  const stopped = app.stop();
  await turns();
  await clock.advance("60s");
  await stopped;
}

describe("D5 what the broker refuses for good", () => {
  it("H4 outputs make a dead letter", async () => {
    const transport = new FakeTransport();
    const asked = refusing(transport, refused, 1);
    await started(transport, [returnsOne()]);
    expect(await transport.deliver("works", { name: "a" })).toMatchObject({
      kind: "dead",
      event: { headers: { papa_reason: "invalid-output", papa_error_message: "no permission" } },
    });
    expect(kinds(asked)).toEqual(["done", "dead"]);
  });

  it("a retry makes a dead letter that tells of the handler's error", async () => {
    const transport = new FakeTransport();
    const asked = refusing(transport, refused, 1);
    await started(transport, [fails()]);
    expect(await transport.deliver("fails", { name: "a" })).toMatchObject({
      kind: "dead",
      event: { headers: { papa_reason: "retries-exhausted", papa_error_message: "fails", papa_attempt: "1" } },
    });
    expect(kinds(asked)).toEqual(["retry", "dead"]);
  });

  it("a forward makes a dead letter", async () => {
    const transport = new FakeTransport();
    transport.onList = () => [{ useCase: "log", patterns: ["other"], idle: 0 }];
    const asked = refusing(transport, refused, 1);
    await started(transport, [useCase("log", { on: "a" }, () => {})]);
    expect(await transport.deliver("log", { name: "other" })).toMatchObject({
      kind: "dead",
      event: { headers: { papa_reason: "unknown-event", papa_error_message: "no permission" } },
    });
    expect(kinds(asked)).toEqual(["forward", "dead"]);
  });

  it("a dead letter is stored as the smallest there is, under the same id, its body untouched", async () => {
    const transport = new FakeTransport();
    const asked = refusing(transport, refused, 1);
    await started(transport, [fails()]);
    const body = Buffer.from('{"large": "payload"}');
    const headers = { tenant: "x".repeat(1_000), traceparent: "t", odd: 7n };
    const stored = await transport.deliver("fails", { name: "a", id: "1", headers, body }, { attempt: 2 });
    const [first] = asked;
    if (first?.kind !== "dead" || stored.kind !== "dead") throw new Error("Both are dead letters.");
    expect(first.event.headers).toMatchObject({ tenant: headers.tenant, odd: "7" });
    expect(first.event.headers.papa_error_stack).not.toBe("");
    expect(stored.id).toBe(first.id);
    expect(stored.event.body).toBe(body);
    expect(stored.event.rawHeaders).toBeUndefined();
    expect(stored.event.headers).not.toHaveProperty("tenant");
    expect(stored.event.headers).not.toHaveProperty("papa_error_stack");
    expect(stored.event.headers).toMatchObject({
      ce_id: "1",
      ce_type: "a",
      papa_reason: "retries-exhausted",
      papa_error_message: "fails",
      papa_cut: "stack, message, all headers",
    });
  });

  it("what is refused at its smallest is tried again, and holds up nothing meanwhile", async () => {
    const { transport, clock } = brokerInTime();
    const asked: Settlement[] = [];
    transport.onSettle = async (settlement) => {
      asked.push(settlement);
      if (settlement.kind === "dead" && asked.length < 6) throw refused;
      return "stored";
    };
    const handled: unknown[] = [];
    await started(transport, [fails(), useCase("works", { on: "#" }, (payload) => void handled.push(payload))]);
    const settled = transport.deliver("fails", { name: "a" }, { attempt: 2 });
    await turns();
    expect(kinds(asked)).toEqual(["dead", "dead"]);
    await transport.deliver("works", { name: "b", body: Buffer.from("2") });
    await transport.deliver("works", { name: "b", body: Buffer.from("3") });
    expect(handled).toEqual([2, 3]);
    await clock.advance("10s");
    expect(await settled).toMatchObject({ kind: "dead" });
    expect(kinds(asked)).toEqual(["dead", "dead", "done", "done", "dead", "dead"]);
  });
});

describe("L7 what the broker refuses for now", () => {
  it("is offered again as it was, later each time, up to every 30 s", async () => {
    const { transport, clock } = brokerInTime();
    const times: number[] = [];
    const settlements = new Set<Settlement>();
    transport.onSettle = async (settlement) => {
      times.push(clock.now());
      settlements.add(settlement);
      throw busy;
    };
    const app = await started(transport, [fails()]);
    void transport.deliver("fails", { name: "a" });
    await turns();
    await clock.advance("2m");
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect([...settlements].map(({ kind }) => kind)).toEqual(["retry"]);
    await stopInTime(app, clock);
  });

  it("T1 an event whose outputs are refused for longer than publishTimeout waits, and the attempt is not counted", async () => {
    const { transport, clock } = brokerInTime();
    let asked = 0;
    transport.onSettle = async (settlement) => {
      asked += 1;
      if (settlement.kind === "done") throw busy;
      return "stored";
    };
    await started(transport, [returnsOne()], { publishTimeout: "5s" });
    let end: Settlement | undefined;
    const settled = transport.deliver("works", { name: "a" }, { attempt: 3 }).then((settlement) => (end = settlement));
    await turns();
    await clock.advance("4s");
    expect([asked, end]).toEqual([5, undefined]);
    await clock.advance("10s");
    expect(await settled).toMatchObject({
      kind: "retry",
      event: { headers: { papa_attempt: "3", papa_error_message: "busy" } },
    });
  });

  it("a retry is offered for as long as it takes: it is nobody's fault", async () => {
    const { transport, clock } = brokerInTime();
    let full = true;
    transport.onSettle = async () => {
      if (full) throw busy;
      return "stored";
    };
    await started(transport, [fails()], { publishTimeout: "1s" });
    const settled = transport.deliver("fails", { name: "a" });
    await turns();
    await clock.advance("1h");
    full = false;
    await clock.advance("30s");
    expect(await settled).toMatchObject({ kind: "retry", event: { headers: { papa_attempt: "2" } } });
  });

  it("L6 shows in health() as long as it lasts, and is logged as an error", async () => {
    const { transport, clock } = brokerInTime();
    const lines: unknown[] = [];
    const logger = { ...silent, error: (about: object, message?: string) => void lines.push([message, about]) };
    refusing(transport, busy, 2);
    const app = await started(transport, [fails()], { logger });
    void transport.deliver("fails", { name: "a", id: "1" });
    await turns();
    expect(app.health()).toMatchObject({
      healthy: false,
      connected: true,
      reasons: [{ subject: 'settling "fails"', message: "the broker refuses to store a settlement (retry): busy" }],
    });
    expect(lines).toEqual([
      [
        "The broker refused to store what became of an event.",
        { err: busy, settlement: "retry", useCase: "fails", eventName: "a", eventId: "1" },
      ],
    ]);
    await clock.advance("1s");
    expect(app.health()).toMatchObject({ healthy: true, reasons: [] });
  });

  it("L6 is logged once above debug, however many events are refused and however often", async () => {
    const { transport, clock } = brokerInTime();
    refusing(transport, busy, 20);
    const levels: string[] = [];
    const at = (level: string) => (_: object, message?: string) =>
      void (message?.includes("refused to store") === true && levels.push(level));
    const logger = { ...silent, debug: at("debug"), error: at("error") };
    await started(transport, [fails()], { logger });
    const settled = ["a", "b", "c"].map((name) => transport.deliver("fails", { name }));
    await turns();
    await clock.advance("10m");
    await Promise.all(settled);
    expect(levels.filter((level) => level === "error")).toHaveLength(1);
    expect(levels.length).toBe(20);
  });

  it("L6 shows until the last is stored, whatever else the broker stores meanwhile", async () => {
    const { transport, clock } = brokerInTime();
    let full = true;
    let refusedOnce = false;
    transport.onSettle = async (settlement) => {
      if (full && settlement.kind === "retry" && settlement.event.name === "a") throw busy;
      if (settlement.kind === "retry" && settlement.event.name === "once" && !refusedOnce) {
        refusedOnce = true;
        throw busy;
      }
      return "stored";
    };
    const app = await started(transport, [fails(), returnsOne()]);
    const settled = transport.deliver("fails", { name: "a" });
    const once = transport.deliver("fails", { name: "once" });
    await turns();
    await clock.advance(250);
    await once;
    await transport.deliver("fails", { name: "b" }, { attempt: 2 });
    await transport.deliver("works", { name: "c" });
    await turns();
    expect(app.health().reasons.map(({ subject }) => subject)).toEqual(['settling "fails"']);
    full = false;
    await clock.advance("1s");
    await settled;
    expect(app.health()).toMatchObject({ healthy: true, reasons: [] });
  });

  it("L6 of an event that is lost meanwhile is no problem any more", async () => {
    const { transport, clock } = brokerInTime();
    let times = 0;
    transport.onSettle = async () => {
      times += 1;
      if (times === 1) throw busy;
      return "lost";
    };
    const app = await started(transport, [fails()]);
    void transport.deliver("fails", { name: "a" });
    await turns();
    expect(app.health().healthy).toBe(false);
    await clock.advance("1s");
    expect(app.health().healthy).toBe(true);
  });

  it("L2 stop() waits until it is stored", async () => {
    const transport = new FakeTransport();
    const asked = refusing(transport, busy, 1);
    const app = await started(transport, [fails()]);
    void transport.deliver("fails", { name: "a" });
    await turns();
    await app.stop();
    expect(kinds(asked)).toEqual(["retry", "retry"]);
  });

  it("L2 after drainTimeout it is not offered any more", async () => {
    const { transport, clock } = brokerInTime();
    const asked = refusing(transport, busy, 1_000);
    const app = await started(transport, [fails()], { drainTimeout: "1s" });
    void transport.deliver("fails", { name: "a" });
    await turns();
    const stopped = app.stop();
    await turns();
    await clock.advance("2s");
    await stopped;
    const before = asked.length;
    await clock.advance("10m");
    expect(asked).toHaveLength(before);
  });
});

describe("L6 onRetry and onDeadLetter", () => {
  /** An app that notes what its listeners are called with. */
  async function listened(
    onSettle: (settlement: Settlement) => Promise<Settled>,
    options: Partial<PapaAppOptions> = {},
  ) {
    const { transport, clock } = brokerInTime();
    transport.onSettle = onSettle;
    const notified: unknown[] = [];
    await started(transport, [fails()], {
      retryDelay: "3s",
      onRetry: (ctx, error, delay) => notified.push(["retry", ctx.eventName, ctx.attempt, String(error), delay]),
      onDeadLetter: (item: DeadLetterItem) => notified.push(["dead", item.id, item.attempts, item.reason]),
      ...options,
    });
    return { transport, clock, notified };
  }

  it("are notified only once it is stored, with what it is about", async () => {
    const pending: (() => void)[] = [];
    const { transport, notified } = await listened(
      () => new Promise((resolve) => pending.push(() => resolve("stored"))),
    );
    void transport.deliver("fails", { name: "a" });
    await turns();
    expect(notified).toEqual([]);
    pending[0]?.();
    await turns();
    expect(notified).toEqual([["retry", "a", 1, "Error: fails", 3_000]]);
    const settled = transport.deliver("fails", { name: "a" }, { attempt: 2 });
    await turns();
    expect(notified).toHaveLength(1);
    pending[1]?.();
    const dead = await settled;
    await turns();
    expect(notified.slice(1)).toEqual([["dead", dead.kind === "dead" && dead.id, 2, "retries-exhausted"]]);
  });

  it("are notified once, with the id under which it is stored, however often the broker refused it", async () => {
    let asked = 0;
    const { transport, clock, notified } = await listened(async () => {
      asked += 1;
      if (asked <= 4) throw asked === 2 ? refused : busy;
      return "stored";
    });
    const settled = transport.deliver("fails", { name: "a" }, { attempt: 2 });
    await turns();
    await clock.advance("1m");
    const stored = await settled;
    await turns();
    expect([asked, notified]).toEqual([5, [["dead", stored.kind === "dead" && stored.id, 2, "retries-exhausted"]]]);
  });

  it("are notified of what was stored in place of what was refused, and of nothing else", async () => {
    let asked = 0;
    const { transport, notified } = await listened(async () => {
      asked += 1;
      if (asked === 1) throw refused;
      return "stored";
    });
    const stored = await transport.deliver("fails", { name: "a" });
    await turns();
    expect(notified).toEqual([["dead", stored.kind === "dead" && stored.id, 1, "retries-exhausted"]]);
  });

  it("are not notified of what was lost, and it is not logged as a retry or a dead letter", async () => {
    const warnings: unknown[] = [];
    const debug: unknown[] = [];
    const note = (lines: unknown[]) => (_: object, message?: string) => void lines.push(message);
    const logger = { info: () => {}, debug: note(debug), warn: note(warnings), error: note(warnings) };
    const { transport, notified } = await listened(async () => "lost", { logger });
    await transport.deliver("fails", { name: "a" });
    await transport.deliver("fails", { name: "a" }, { attempt: 2 });
    await turns();
    expect([notified, warnings]).toEqual([[], []]);
    expect(debug).toEqual([
      "An event was lost before its outcome was stored.",
      "An event was lost before its outcome was stored.",
    ]);
  });

  it("a failed attempt is a warning, a dead letter an error, each with the error under err and once", async () => {
    const lines: [level: string, message: string | undefined, about: object][] = [];
    const at = (level: string) => (about: object, message?: string) => void lines.push([level, message, about]);
    const logger = { debug: () => {}, info: () => {}, warn: at("warn"), error: at("error") };
    const { transport } = await listened(async () => "stored", { logger });
    await transport.deliver("fails", { name: "a", id: "1" });
    const dead = await transport.deliver("fails", { name: "a", id: "1" }, { attempt: 2 });
    await turns();
    const about = { err: new Error("fails"), useCase: "fails", eventName: "a", eventId: "1" };
    expect(lines).toEqual([
      ["warn", "A handler failed; the event is tried again.", { ...about, attempt: 1, delay: 3_000 }],
      ["error", "An event became a dead letter.", { ...about, attempt: 2, deadLetterId: (dead as { id: string }).id }],
    ]);
  });

  it.each([
    [
      "throw",
      () => {
        throw new Error("a bug");
      },
    ],
    ["reject", () => Promise.reject(new Error("a bug"))],
  ])("may %s: it is logged, and nothing is held up", async (_, listener) => {
    const errors: [message: string | undefined, about: object][] = [];
    const logger = { ...silent, error: (about: object, message?: string) => void errors.push([message, about]) };
    const listeners = { onRetry: listener, onDeadLetter: listener };
    const { transport } = await listened(async () => "stored", { ...listeners, logger });
    await transport.deliver("fails", { name: "a" });
    await transport.deliver("fails", { name: "a" }, { attempt: 2 });
    await turns();
    const about = expect.objectContaining({ err: new Error("a bug"), useCase: "fails" });
    expect(errors.filter(([message]) => message === "onRetry or onDeadLetter failed.")).toEqual([
      ["onRetry or onDeadLetter failed.", about],
      ["onRetry or onDeadLetter failed.", about],
    ]);
  });

  it.each(["onRetry", "onDeadLetter"])("stop() waits for what %s returns", async (name) => {
    const { promise: slow, resolve: end } = Promise.withResolvers<void>();
    const transport = new FakeTransport();
    const app = await started(transport, [fails()], { [name]: () => slow });
    await transport.deliver("fails", { name: "a" }, { attempt: name === "onRetry" ? 1 : 2 });
    let stopped = false;
    const stopping = app.stop().then(() => (stopped = true));
    await turns(20);
    expect(stopped).toBe(false);
    end();
    await stopping;
  });

  // Else an alert would name as its cause whichever event's handler had woken the queue.
  it("run in the context of their event, so that what they publish names it as its cause", async () => {
    const transport = new FakeTransport();
    const seen: unknown[] = [];
    const app = new PapaApp({
      transport,
      logger: silent,
      onDeadLetter: async () => {
        seen.push(currentEvent()?.id);
        await app.newEvent("ops.alert", 1);
      },
    });
    app.use(
      useCase("wakes", { on: "#" }, async () => {
        await transport.deliver("fails", { name: "b", id: "B" }, { attempt: 2 });
      }),
      fails(),
    );
    await app.start();
    onTestFinished(() => app.stop());
    await transport.deliver("wakes", { name: "a", id: "A" });
    await vi.waitFor(() => expect(transport.calls).toHaveLength(1));
    expect(seen).toEqual(["B"]);
    expect(transport.calls[0]?.[0]?.headers.papa_cause).toBe("B");
  });
});
