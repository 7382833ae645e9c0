import { describe, expect, it } from "vitest";
import type { Handler, HandlerResult } from "../../src/handler/handler.ts";
import { composeWraps } from "../../src/handler/wraps.ts";
import { type EventContext, type OutputEvent, useCase, type Wrap } from "../../src/index.ts";
import { FakeTransport, started, turns } from "../support.ts";

const context = { useCase: "log", eventName: "a" } as EventContext;
const output = (name: string): OutputEvent => ({ name, payload: 1 });

/** Calls a handler with these wraps around it, and gives what comes out and how often the handler was called. */
async function wrapped(wraps: readonly Wrap[], returned: HandlerResult, payload: unknown = "payload") {
  const seen: unknown[] = [];
  const handler: Handler = (...args) => {
    seen.push(args);
    return returned;
  };
  const result = await composeWraps(wraps, handler)(payload, context);
  return { result, seen };
}

describe("a wrap", () => {
  it("without any, the handler itself is called", () => {
    const handler: Handler = () => {};
    expect(composeWraps([], handler)).toBe(handler);
  });

  it("leaves the handler its payload and its context, and gets the context itself", async () => {
    const contexts: unknown[] = [];
    const wrap: Wrap = (ctx, next) => {
      contexts.push(ctx);
      return next();
    };
    const { seen } = await wrapped([wrap, wrap], undefined);
    expect(contexts).toEqual([context, context]);
    expect(seen).toEqual([["payload", context]]);
  });

  it.each<[string, HandlerResult, readonly OutputEvent[]]>([
    ["nothing", undefined, []],
    ["one event", output("b"), [output("b")]],
    ["a list", [output("b"), output("c")], [output("b"), output("c")]],
    ["an empty list", [], []],
  ])("next() resolves to a list where the handler returned %s", async (_, returned, expected) => {
    let given: unknown;
    const wrap: Wrap = async (_ctx, next) => {
      given = await next();
    };
    await wrapped([wrap], returned);
    expect(given).toEqual(expected);
  });

  // The commonest middleware there is: `await next()` with something before and after it.
  it("that returns nothing leaves the handler's events as they are, however many are around it", async () => {
    const wrap: Wrap = async (_ctx, next) => {
      await next();
    };
    const { result } = await wrapped([wrap, wrap, wrap], [output("b"), output("c")]);
    expect(result).toEqual([output("b"), output("c")]);
  });

  it("that changes the list it got and returns nothing changes nothing", async () => {
    const wrap: Wrap = async (_ctx, next) => {
      (await next()).length = 0;
    };
    expect((await wrapped([wrap], [output("b")])).result).toEqual([output("b")]);
  });

  it.each<[string, readonly OutputEvent[]]>([
    ["other events", [output("x")]],
    ["none", []],
  ])("that returns a list replaces the handler's events: %s", async (_, replaced) => {
    const inner: unknown[] = [];
    const replaces: Wrap = async (_ctx, next) => {
      await next();
      return replaced;
    };
    const outer: Wrap = async (_ctx, next) => {
      inner.push(await next());
    };
    const { result } = await wrapped([outer, replaces], [output("b"), output("c")]);
    expect([result, inner]).toEqual([replaced, [replaced]]);
  });

  it("may add to what it got", async () => {
    const adds: Wrap = async (_ctx, next) => [...(await next()), output("audit")];
    expect((await wrapped([adds], output("b"))).result).toEqual([output("b"), output("audit")]);
  });

  it("that does not call next() keeps the handler from being called, and may return events of its own", async () => {
    const skips: Wrap = async () => {};
    expect(await wrapped([skips], output("b"))).toEqual({ result: [], seen: [] });
    const answers: Wrap = async () => [output("cached")];
    expect(await wrapped([answers], output("b"))).toEqual({ result: [output("cached")], seen: [] });
  });

  it("that calls next() a second time is told, and the handler is called once", async () => {
    let problem: unknown;
    let calls = 0;
    const twice: Wrap = async (_ctx, next) => {
      await next();
      calls += 1;
      await next().catch((error: unknown) => (problem = error));
    };
    const { result, seen } = await wrapped([twice], output("b"));
    expect(problem).toMatchObject({
      message: "A wrap called next() a second time; it may call it once, or not at all.",
    });
    expect([calls, seen.length, result]).toEqual([1, 1, [output("b")]]);
  });

  it("that calls next() again after it failed is told too: the handler may have done half of its work", async () => {
    let called = 0;
    const retries: Wrap = async (_ctx, next) => next().catch(() => next());
    const handler: Handler = () => {
      called += 1;
      throw new Error("fails");
    };
    await expect(composeWraps([retries], handler)("payload", context)).rejects.toThrow("a second time");
    expect(called).toBe(1);
  });

  it("fails the attempt by what it throws, also after the handler has succeeded", async () => {
    const fails: Wrap = async (_ctx, next) => {
      await next();
      throw new Error("commit failed");
    };
    await expect(wrapped([fails], output("b"))).rejects.toThrow("commit failed");
  });

  it("may turn a failure into a success", async () => {
    const forgives: Wrap = async (_ctx, next) => next().catch(() => [output("failed")]);
    const handler: Handler = () => Promise.reject(new Error("no"));
    expect(await composeWraps([forgives], handler)("payload", context)).toEqual([output("failed")]);
  });

  // An `await` that was left out: what is acknowledged while its handler runs is lost with its process.
  it("that does not wait for next() is over when the handler is, and leaves its events as they are", async () => {
    const forgets: Wrap = async (_ctx, next) => {
      void next();
    };
    const { promise, resolve } = Promise.withResolvers<OutputEvent>();
    let over = false;
    const result = Promise.resolve(composeWraps([forgets, forgets], () => promise)("payload", context));
    void result.then(() => (over = true));
    await turns();
    expect(over).toBe(false);
    resolve(output("b"));
    expect(await result).toEqual([output("b")]);
  });

  it("that does not wait for next() fails with the handler", async () => {
    const forgets: Wrap = async (_ctx, next) => {
      void next();
    };
    const handler: Handler = async () => {
      await turns(1);
      throw new Error("handler failed");
    };
    await expect(composeWraps([forgets], handler)("payload", context)).rejects.toThrow("handler failed");
  });

  // A rejection that nobody waits for any more ends the process, and with it the attempts of all other events.
  it("that does not look at a failed next(), which has ended by then, fails with the handler", async () => {
    const forgets: Wrap = async (_ctx, next) => {
      void next();
      await turns(5);
    };
    const fails = async () => {
      throw new Error("handler failed");
    };
    await expect(composeWraps([forgets], fails)("payload", context)).rejects.toThrow("handler failed");
    await expect(composeWraps([forgets, forgets], fails)("payload", context)).rejects.toThrow("handler failed");
  });

  it("that throws while the handler runs fails by that, and the handler may fail after it", async () => {
    const failing = Promise.withResolvers<undefined>();
    const fails: Wrap = async (_ctx, next) => {
      void next();
      throw new Error("begin failed");
    };
    await expect(composeWraps([fails], () => failing.promise)("payload", context)).rejects.toThrow("begin failed");
    failing.reject(new Error("handler failed"));
    await turns();
  });

  it("is told by next() what the handler should not have returned", async () => {
    let problem: unknown;
    const wrap: Wrap = async (_ctx, next) => {
      await next().catch((error: unknown) => {
        problem = error;
        throw error;
      });
    };
    await expect(wrapped([wrap], "done" as never)).rejects.toMatchObject({ code: "invalid-output" });
    expect(problem).toMatchObject({ code: "invalid-output" });
  });
});

describe("wraps in an app", () => {
  it("what the handler returned is published through wraps that return nothing", async () => {
    const transport = new FakeTransport();
    const silently: Wrap = async (_ctx, next) => {
      await next();
    };
    const log = useCase("log", { on: "#", wrap: silently }, () => output("b"));
    await started(transport, [log], { wrap: [silently, silently] });
    expect(await transport.deliver("log", { name: "a" })).toMatchObject({ kind: "done", outputs: [{ name: "b" }] });
  });

  it.each([
    ["a text", async () => "done"],
    ["a promise that resolves to a number", () => Promise.resolve(7)],
    ["a list with a bad event", async () => [output("b"), { name: "no payload" }]],
    ["null", async () => null],
  ])("H4 a wrap that returns %s makes a dead letter, and nothing is published", async (_, wrap) => {
    const transport = new FakeTransport();
    await started(transport, [useCase("log", { on: "#", wrap: wrap as never }, () => output("b"))]);
    expect(await transport.deliver("log", { name: "a" })).toMatchObject({
      kind: "dead",
      event: { headers: { papa_reason: "invalid-output" } },
    });
    expect(transport.calls).toEqual([]);
  });

  it("a second next() that the wrap does not catch fails the attempt, which is retried", async () => {
    const transport = new FakeTransport();
    const twice: Wrap = async (_ctx, next) => {
      await next();
      return next();
    };
    await started(transport, [useCase("log", { on: "#", wrap: twice }, () => {})]);
    expect(await transport.deliver("log", { name: "a" })).toMatchObject({
      kind: "retry",
      event: { headers: { papa_error_message: expect.stringContaining("a second time") } },
    });
  });

  // Node.js ends a process with an unhandled rejection; vitest fails the run with one.
  it("that does not look at a handler which fails does not end the process, and the attempt fails", async () => {
    const inattentive: Wrap = async (_, next) => {
      next();
      await turns(3);
    };
    const failing: Handler = async () => {
      throw new Error("no");
    };
    await expect(composeWraps([inattentive], failing)("payload", context)).rejects.toThrow("no");
    await turns(3);
  });
});
