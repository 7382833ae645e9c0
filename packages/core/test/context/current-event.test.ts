import { AsyncLocalStorage } from "node:async_hooks";
import { memory } from "@papa-events/transport-memory";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { currentEvent, runInContext, runOutside } from "../../src/context/current-event.ts";
import { type EventContext, PapaApp, useCase } from "../../src/index.ts";
import { FakeTransport, silent, started, turns } from "../support.ts";

const contextOf = (id: string) => ({ id, eventName: "a" }) as EventContext;
const later = async () => {
  await turns(1);
  return currentEvent()?.id;
};

describe("the current event", () => {
  it("is there in the handler and in all that it sets off, and nowhere else", async () => {
    const context = contextOf("1");
    const seen: unknown[] = [];
    expect(currentEvent()).toBeUndefined();
    const running = runInContext(
      context,
      async (payload, given) => {
        seen.push(payload, given, currentEvent());
        setTimeout(() => seen.push(currentEvent()), 0);
        queueMicrotask(() => seen.push(currentEvent()));
        await turns();
        seen.push(currentEvent());
      },
      "payload",
    );
    expect(currentEvent()).toBeUndefined();
    await running;
    await vi.waitFor(() => expect(seen).toHaveLength(6));
    expect(seen[0]).toBe("payload");
    expect(seen.slice(1)).toEqual(Array.from({ length: 5 }, () => context));
    expect(currentEvent()).toBeUndefined();
  });

  it("what the handler throws comes out, and nothing of it stays", () => {
    const call = () => {
      throw new Error("no");
    };
    expect(() => runInContext(contextOf("1"), call, undefined)).toThrow("no");
    expect(currentEvent()).toBeUndefined();
  });

  it("each of several at once has its own", async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `${index}`);
    expect(await Promise.all(ids.map((id) => runInContext(contextOf(id), later, undefined)))).toEqual(ids);
  });

  it("within another, such as by UseCase.handle, the outer one is as it was afterwards", async () => {
    const seen: unknown[] = [];
    await runInContext(
      contextOf("outer"),
      async () => {
        const inner = runInContext(contextOf("inner"), later, undefined);
        seen.push(currentEvent()?.id);
        seen.push(await inner, currentEvent()?.id, await later());
      },
      undefined,
    );
    expect(seen).toEqual(["outer", "inner", "outer", "outer"]);
    expect(currentEvent()).toBeUndefined();
  });

  it("runOutside has none, whatever it is called in", () => {
    const request = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    request.run("request", () =>
      runInContext(
        contextOf("1"),
        () => runOutside(() => void seen.push(currentEvent(), request.getStore())),
        undefined,
      ),
    );
    expect(seen).toEqual([undefined, undefined]);
  });
});

describe("H10 a handler sees no asynchronous context but its own event's", () => {
  const request = new AsyncLocalStorage<string>();

  /** What each handler of "log", and each listener, has seen of the request. */
  async function seenBy(make: (app: PapaApp) => Promise<unknown>, count: number) {
    const seen: unknown[] = [];
    const app = new PapaApp({
      transport: memory(),
      logger: silent,
      retryDelay: 0,
      onRetry: () => void seen.push(["onRetry", request.getStore()]),
      onDeadLetter: () => void seen.push(["onDeadLetter", request.getStore()]),
    });
    app.onEvent("a", { useCase: "log" }, async () => {
      seen.push(["at once", request.getStore()]);
      await turns(1);
      seen.push(["later", request.getStore()]);
    });
    app.onEvent("b", { useCase: "fails", retries: 1 }, () => {
      throw new Error("no");
    });
    onTestFinished(() => app.stop());
    await make(app);
    await vi.waitFor(() => expect(seen).toHaveLength(count));
    return seen;
  }

  it("not the publisher's", async () => {
    const seen = await seenBy(async (app) => {
      await app.start();
      await request.run("of the publisher", () => app.newEvent("a", 1));
    }, 2);
    expect(seen).toEqual([
      ["at once", undefined],
      ["later", undefined],
    ]);
  });

  it("not that of whoever started the app", async () => {
    const seen = await seenBy(async (app) => {
      await request.run("of the starter", () => app.start());
      await app.newEvent("a", 1);
    }, 2);
    expect(seen).toEqual([
      ["at once", undefined],
      ["later", undefined],
    ]);
  });

  it("nor do onRetry and onDeadLetter", async () => {
    const seen = await seenBy(async (app) => {
      await request.run("of the starter", () => app.start());
      await request.run("of the publisher", () => app.newEvent("b", 1));
    }, 2);
    expect(seen).toEqual([
      ["onRetry", undefined],
      ["onDeadLetter", undefined],
    ]);
  });

  it("not that of another handler, which woke it", async () => {
    const seen: unknown[] = [];
    const transport = new FakeTransport();
    await started(transport, [
      useCase("wakes", { on: "#" }, async () => {
        request.enterWith("of the handler that wakes");
        await transport.deliver("woken", { name: "b", id: "B" });
        seen.push(currentEvent()?.id, request.getStore());
      }),
      useCase("woken", { on: "#" }, async (_, { id }) => {
        seen.push(id, currentEvent()?.id, request.getStore());
        await turns(1);
        seen.push(currentEvent()?.id, request.getStore());
      }),
    ]);
    await transport.deliver("wakes", { name: "a", id: "A" });
    expect(seen).toEqual(["B", "B", undefined, "B", undefined, "A", "of the handler that wakes"]);
  });

  it("not that of whoever redrives, declares more room or settles another event", async () => {
    const seen: unknown[] = [];
    const transport = new FakeTransport();
    const log = useCase("log", { on: "#", concurrency: 1 }, async (_, { id }) => {
      seen.push([id, request.getStore()]);
      await turns(1);
    });
    await started(transport, [log]);
    const ids = ["1", "2", "3"];
    await Promise.all(
      ids.map((id) => request.run(`delivers ${id}`, () => transport.deliver("log", { name: "a", id }))),
    );
    expect(seen).toEqual(ids.map((id) => [id, undefined]));
  });

  it.each([1, 20])("what one handler enters is not there for the next (concurrency %d)", async (concurrency) => {
    const seen: unknown[] = [];
    const transport = new FakeTransport();
    const log = useCase("log", { on: "#", concurrency }, async (_, { id }) => {
      seen.push(request.getStore());
      request.enterWith(`entered by ${id}`);
      await turns(1);
      seen.push(request.getStore());
    });
    await started(transport, [log]);
    for (const id of ["1", "2", "3"]) await transport.deliver("log", { name: "a", id });
    await Promise.all(["4", "5"].map((id) => transport.deliver("log", { name: "a", id })));
    expect(seen.filter((each) => each === undefined)).toHaveLength(5);
    expect(seen.filter((each) => each !== undefined).sort()).toEqual([1, 2, 3, 4, 5].map((id) => `entered by ${id}`));
    expect(request.getStore()).toBeUndefined();
  });

  it("UseCase.handle() inside a handler leaves the outer currentEvent() as it was", async () => {
    const seen: unknown[] = [];
    const inner = useCase("inner", { on: "b" }, async () => {
      seen.push(currentEvent()?.id);
      await turns(1);
      seen.push(currentEvent()?.id);
    });
    const outer = useCase("outer", { on: "#" }, async (_, ctx) => {
      await inner.handle(1, { id: "inner" });
      seen.push(currentEvent() === ctx);
      await turns(1);
      seen.push(currentEvent() === ctx);
    });
    const transport = new FakeTransport();
    await started(transport, [outer]);
    await transport.deliver("outer", { name: "a", id: "outer" });
    expect(seen).toEqual(["inner", "inner", true, true]);
  });

  it("what a handler publishes carries its own event as the cause, and that of nobody around it", async () => {
    const transport = new FakeTransport();
    const app: PapaApp = await started(transport, [
      useCase("publishes", { on: "#" }, async (_, { id }) => {
        await turns(1);
        await app.newEvent("b", id);
      }),
    ]);
    await Promise.all(["1", "2"].map((id) => transport.deliver("publishes", { name: "a", id })));
    await app.newEvent("b", "outside");
    const causes = transport.calls.flat().map(({ text, headers }) => [text, headers.papa_cause]);
    expect(causes.sort()).toEqual([
      ['"1"', "1"],
      ['"2"', "2"],
      ['"outside"', undefined],
    ]);
  });
});
