import { virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { callWithTimeout } from "../../src/handling/call-with-timeout.ts";
import type { DeliveryContext } from "../../src/handling/delivery-context.ts";
import { currentEvent, type HandlerResult, type PapaError, useCase } from "../../src/index.ts";
import { FakeTransport, started, turns } from "../support.ts";
import { contextOf, notingLogger, TestDelivery } from "./support.ts";

/** Calls a handler with a timeout of 5 s, on a clock that the test moves. */
function calling(handler: (payload: unknown, context: DeliveryContext) => HandlerResult | Promise<HandlerResult>) {
  const clock = virtualClock({ start: 0 });
  const { lines, logger } = notingLogger();
  const context = contextOf(new TestDelivery(), { clock, logger });
  const called = callWithTimeout(context, handler, "payload", 5_000, clock);
  let outcome: unknown = "pending";
  called.then(
    (result) => (outcome = { result }),
    (error: unknown) => (outcome = { error }),
  );
  return { clock, context, called, lines, outcome: () => outcome };
}

describe("H7 a handler that ends in time", () => {
  it("gives what it returns, gets payload and context, and runs as the current event", async () => {
    const seen: unknown[] = [];
    const output = [{ name: "b", payload: 1 }];
    const { called, context } = calling(async (...args) => {
      seen.push(args, currentEvent());
      return output;
    });
    expect(await called).toBe(output);
    expect(seen).toEqual([["payload", context], context]);
  });

  it("rejects with what it throws, at once or later", async () => {
    const error = new Error("no");
    const throws = calling(() => {
      throw error;
    });
    await expect(throws.called).rejects.toBe(error);
    await expect(calling(() => Promise.reject(error)).called).rejects.toBe(error);
  });

  it("has no timer left: its signal never aborts", async () => {
    const { called, clock, context, lines } = calling(() => undefined);
    await called;
    await turns();
    await clock.advance("1h");
    expect([context.signal.aborted, context.running, lines]).toEqual([false, undefined, []]);
  });
});

describe("H7 a handler that exceeds its timeout", () => {
  it("has failed at the limit and not before, with an error that may be tried again, which its signal carries", async () => {
    const { clock, context, outcome } = calling(() => new Promise(() => {}));
    await clock.advance(4_999);
    expect([outcome(), context.signal.aborted]).toEqual(["pending", false]);
    await clock.advance(1);
    const { error } = outcome() as { error: PapaError };
    expect(error).toMatchObject({
      code: "handler-timeout",
      message: 'The handler of "log" ran longer than its timeout of 5000 ms.',
      details: { useCase: "log", timeout: 5_000 },
      retryable: true,
    });
    expect(context.signal.reason).toBe(error);
  });

  it("is known to run until its true end, whether it returns or throws", async () => {
    for (const end of ["resolve", "reject"] as const) {
      const handler = Promise.withResolvers<undefined>();
      const { clock, context } = calling(() => handler.promise);
      await clock.advance("5s");
      let running = true;
      void context.running?.then(() => (running = false));
      await turns();
      expect(running).toBe(true);
      handler[end](undefined);
      await turns();
      expect(running).toBe(false);
    }
  });

  it("logs what it still returns or throws, and says that nothing of it is published", async () => {
    const late = async (end: () => HandlerResult) => {
      const handler = Promise.withResolvers<void>();
      const { clock, context, lines } = calling(async () => {
        await handler.promise;
        return end();
      });
      await clock.advance("5s");
      handler.resolve();
      await context.running;
      return lines.map(([level, message, about]) => [level, message, (about as { err?: unknown }).err]);
    };
    expect(await late(() => undefined)).toEqual([["warn", "A handler ended after its timeout.", undefined]]);
    expect(await late(() => ({ name: "b", payload: 1 }))).toEqual([
      ["warn", "A handler ended after its timeout; the events it returned are not published.", undefined],
    ]);
    const error = new Error("too late");
    const failed = await late(() => {
      throw error;
    });
    expect(failed).toEqual([["warn", "A handler failed after its timeout.", error]]);
  });
});

// A schema that waits for another service is as good as a handler that does.
it("H7 the time of an asynchronous schema counts", async () => {
  const transport = new FakeTransport();
  const clock = virtualClock({ start: 0 });
  transport.clock = clock;
  let called = 0;
  const answer = Promise.withResolvers<{ readonly value: unknown }>();
  const validate = () => answer.promise;
  const schema = { "~standard": { version: 1, vendor: "test", validate } } as const;
  const log = useCase("log", { on: "#", schema, timeout: "5s", concurrency: 1 }, () => void (called += 1));
  await started(transport, [log]);
  const settled = transport.deliver("log", { name: "a" });
  await turns();
  await clock.advance("5s");
  expect(await settled).toMatchObject({
    kind: "retry",
    event: { headers: { papa_error_message: expect.stringContaining("ran longer than its timeout of 5000 ms") } },
  });
  // What the schema answers now would start a handler beside its own retry.
  answer.resolve({ value: 1 });
  await turns();
  expect(called).toBe(0);
});
