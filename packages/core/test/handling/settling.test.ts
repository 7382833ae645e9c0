import { describe, expect, it, onTestFinished, vi } from "vitest";
import { currentEvent, type DeadLetterItem, PapaApp, PapaError, useCase } from "../../src/index.ts";
import type { Settlement } from "../../src/transport.ts";
import { FakeTransport, silent, started, turns } from "../support.ts";

const busy = new PapaError("connection-failed", "busy", { transport: "fake" }, { retryable: true });
const refused = new PapaError("access-refused", "no permission", { transport: "fake" });

const kinds = (settlements: readonly Settlement[]) => settlements.map(({ kind }) => kind);

/** Notes what is to be stored, and refuses the first so many. */
function refusing(transport: FakeTransport, error: Error, times: number): Settlement[] {
  const asked: Settlement[] = [];
  transport.onSettle = async (settlement) => {
    asked.push(settlement);
    if (asked.length <= times) throw error;
  };
  return asked;
}

const returnsOne = () => useCase("works", { on: "#" }, () => ({ name: "b", payload: 1 }));
const fails = () =>
  useCase("fails", { on: "#", retries: 1 }, () => {
    throw new Error("fails");
  });

describe("H1 what the broker refuses to store", () => {
  it("H4 outputs that it refuses for good make a dead letter", async () => {
    const transport = new FakeTransport();
    const asked = refusing(transport, refused, 1);
    await started(transport, [returnsOne()]);
    expect(await transport.deliver("works", { name: "a" })).toMatchObject({
      kind: "dead",
      event: { headers: { papa_reason: "invalid-output", papa_error_message: "no permission" } },
    });
    expect(kinds(asked)).toEqual(["done", "dead"]);
  });

  it("outputs that it refuses for now make a retry, which counts", async () => {
    const transport = new FakeTransport();
    refusing(transport, busy, 1);
    await started(transport, [returnsOne()]);
    expect(await transport.deliver("works", { name: "a" }, { attempt: 3 })).toMatchObject({
      kind: "retry",
      event: { headers: { papa_attempt: "4", papa_error_message: "busy" } },
    });
  });

  it.each([
    ["a retry", 1, "retry"],
    ["a dead letter", 2, "dead"],
  ])("%s is tried again until it is stored, and holds up nothing meanwhile", async (_, attempt, kind) => {
    const transport = new FakeTransport();
    const asked = refusing(transport, refused, 2);
    const handled: unknown[] = [];
    await started(transport, [fails(), useCase("works", { on: "#" }, (payload) => void handled.push(payload))]);
    const settled = transport.deliver("fails", { name: "a" }, { attempt });
    await turns();
    expect(kinds(asked)).toEqual([kind]);
    transport.onSettle = async (settlement) => {
      asked.push(settlement);
      if (settlement.kind !== "done" && asked.length < 4) throw refused;
    };
    await transport.deliver("works", { name: "b", body: Buffer.from("2") });
    expect(handled).toEqual([2]);
    expect(await settled).toMatchObject({ kind });
    expect(kinds(asked)).toEqual([kind, "done", kind, kind]);
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
});

describe("onRetry and onDeadLetter", () => {
  async function listened(listeners: { onRetry?: () => unknown; onDeadLetter?: () => unknown }) {
    const errors: [message: string | undefined, about: object][] = [];
    const transport = new FakeTransport();
    const logger = { ...silent, error: (about: object, message?: string) => void errors.push([message, about]) };
    await started(transport, [fails()], { ...listeners, logger });
    return { transport, errors };
  }

  it("are told once it is stored, with what it is about", async () => {
    const told: unknown[] = [];
    let stored = 0;
    const transport = new FakeTransport();
    transport.onSettle = async () => {
      stored += 1;
    };
    await started(transport, [fails()], {
      retryDelay: "3s",
      onRetry: (ctx, error, delay) => told.push(["retry", stored, ctx.eventName, ctx.attempt, String(error), delay]),
      onDeadLetter: (item: DeadLetterItem) => told.push(["dead", stored, item.eventName, item.attempts, item.reason]),
    });
    await transport.deliver("fails", { name: "a" });
    await transport.deliver("fails", { name: "a" }, { attempt: 2 });
    await turns();
    expect(told).toEqual([
      ["retry", 1, "a", 1, "Error: fails", 3_000],
      ["dead", 2, "a", 2, "retries-exhausted"],
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
    const { transport, errors } = await listened({ onRetry: listener, onDeadLetter: listener });
    await transport.deliver("fails", { name: "a" });
    await transport.deliver("fails", { name: "a" }, { attempt: 2 });
    await turns();
    const about = expect.objectContaining({ error: new Error("a bug"), useCase: "fails" });
    expect(errors.filter(([message]) => message === "onRetry or onDeadLetter failed.")).toEqual([
      ["onRetry or onDeadLetter failed.", about],
      ["onRetry or onDeadLetter failed.", about],
    ]);
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
