import { describe, expect, it } from "vitest";
import { contextOf, notingLogger, TestDelivery } from "./support.ts";

describe("the context of a delivery", () => {
  it("H6 tells what is handled, each time the same", () => {
    const delivery = new TestDelivery(
      {
        name: "user.created",
        id: "1",
        time: 5,
        headers: { tenant: "t", ce_source: "x", papa_cause: "c", traceparent: "p" },
      },
      { attempt: 3 },
    );
    const context = contextOf(delivery);
    const { eventName, id, time, attempt, useCase, headers } = context;
    expect({ eventName, id, time, attempt, useCase, headers }).toEqual({
      eventName: "user.created",
      id: "1",
      time: new Date(5),
      attempt: 3,
      useCase: "log",
      headers: { tenant: "t", traceparent: "p" },
    });
    expect(context.time).toBe(time);
    expect(context.headers).toBe(headers);
    expect(context.signal).toBe(context.signal);
    expect(context.logger).toBe(context.logger);
  });

  it("H6 has the published name where the broker has none of its own, and an id for an event without one, once", () => {
    const context = contextOf(
      new TestDelivery({ name: undefined, id: undefined, headers: { ce_type: "user.created" } }),
    );
    expect(context.eventName).toBe("user.created");
    expect(context.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(context.id).toBe(context.id);
  });

  it("H7 an abort is seen also by whoever asks for the signal only later", () => {
    const reason = new Error("too long");
    const context = contextOf(new TestDelivery());
    context.abort(reason);
    expect([context.signal.aborted, context.signal.reason]).toEqual([true, reason]);
  });

  it("H7 its signal aborts when the transport hears that the event is lost", () => {
    let lose = (_why: string) => {};
    const delivery = Object.assign(new TestDelivery({ name: "a", id: "1" }), {
      onLost: (listener: (why: string) => void) => {
        lose = listener;
      },
    });
    const { signal } = contextOf(delivery);
    expect(signal.aborted).toBe(false);
    lose("its channel was closed");
    expect(signal.reason).toMatchObject({
      code: "event-lost",
      details: { eventId: "1", useCase: "log" },
      retryable: true,
    });
    expect(signal.reason.message).toContain("its channel was closed");
  });

  it("its logger puts use case, event name and id on each line", () => {
    const { lines, logger } = notingLogger();
    const context = contextOf(new TestDelivery({ name: "a", id: "1" }), { logger });
    context.logger.warn({ step: 1 }, "careful");
    context.logger.info("only text");
    const about = { useCase: "log", eventName: "a", eventId: "1" };
    expect(lines).toEqual([
      ["warn", "careful", { ...about, step: 1 }],
      ["info", "only text", about],
    ]);
  });

  it("has nothing to dispose of before something was made for it", async () => {
    const context = contextOf(new TestDelivery());
    expect(context.hasScope).toBe(false);
    await context.disposeScope();
    let disposed = 0;
    context.scope = { occupied: true, dispose: () => void (disposed += 1) };
    expect(context.hasScope).toBe(true);
    await context.disposeScope();
    expect(disposed).toBe(1);
  });

  it("what fails while it is disposed of is logged and fails nothing", async () => {
    const { lines, logger } = notingLogger();
    const context = contextOf(new TestDelivery(), { logger });
    const error = new Error("no");
    context.scope = {
      occupied: true,
      dispose: () => {
        throw error;
      },
    };
    await context.disposeScope();
    context.scope = { occupied: true, dispose: () => Promise.reject(error) };
    await context.disposeScope();
    expect(lines.map(([level, message, about]) => [level, message, (about as { err: unknown }).err])).toEqual([
      ["error", "Cleaning up after a handler failed.", error],
      ["error", "Cleaning up after a handler failed.", error],
    ]);
  });
});
