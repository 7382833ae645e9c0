import { memory, virtualClock } from "@papa-events/transport-memory";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { PapaApp, PapaError, useCase } from "../../src/index.ts";
import type { Settlement } from "../../src/transport.ts";
import { FakeTransport, silent, started, turns } from "../support.ts";

const never = new Promise<never>(() => {});
const lost = new PapaError("connection-failed", "lost", { transport: "fake" }, { retryable: true });

/** Whether a promise has come to its end, now. */
function watched(promise: Promise<unknown>): () => Promise<boolean> {
  let ended = false;
  promise.then(
    () => (ended = true),
    () => (ended = true),
  );
  return async () => {
    await turns(3);
    return ended;
  };
}

/** Something that a test opens. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("L2 stop() called by a handler", () => {
  it("does not wait for that handler, whose event is acknowledged before the app closes", async () => {
    const transport = new FakeTransport();
    const steps: string[] = [];
    const after = gate();
    const app: PapaApp = await started(transport, [
      useCase("stops", { on: "#" }, async () => {
        await app.stop();
        steps.push(`stopped, ${app.health().state}`);
        await after.opened;
        steps.push("handler ends");
        return { name: "b", payload: 1 };
      }),
    ]);
    const settled = transport.deliver("stops", { name: "a" }).then((settlement) => {
      steps.push(`settled: ${settlement.kind}, ${transport.connections} open`);
      return settlement;
    });
    await turns();
    expect(steps).toEqual(["stopped, stopping"]);
    after.open();
    expect(await settled).toMatchObject({ kind: "done", outputs: [{ name: "b" }] });
    await vi.waitFor(() => expect(app.health().state).toBe("stopped"));
    expect(steps).toEqual(["stopped, stopping", "handler ends", "settled: done, 1 open"]);
    expect(transport.connections).toBe(0);
  });

  it("nor does it wait for one that has outlived its timeout", async () => {
    const transport = new FakeTransport();
    const late = gate();
    const stopped = gate();
    const app: PapaApp = await started(transport, [
      useCase("stops", { on: "#", timeout: 1 }, async () => {
        await late.opened;
        await app.stop();
        stopped.open();
      }),
    ]);
    expect(await transport.deliver("stops", { name: "a" })).toMatchObject({ kind: "retry" });
    await turns();
    late.open();
    await stopped.opened;
    await vi.waitFor(() => expect(app.health().state).toBe("stopped"));
  });

  it("waits for the other handlers", async () => {
    const transport = new FakeTransport();
    const other = gate();
    let stopped: (() => Promise<boolean>) | undefined;
    const app: PapaApp = await started(transport, [
      useCase("stops", { on: "a" }, async () => {
        const stopping = app.stop();
        stopped = watched(stopping);
        await stopping;
      }),
      useCase("other", { on: "#" }, () => other.opened),
    ]);
    const settled = [transport.deliver("other", { name: "b" })];
    await turns();
    settled.push(transport.deliver("stops", { name: "a" }));
    await turns();
    expect(await stopped?.()).toBe(false);
    other.open();
    expect((await Promise.all(settled)).map(({ kind }) => kind)).toEqual(["done", "done"]);
  });

  it("and by a second one at the same time ends for both, and for whoever else waits", async () => {
    const transport = new FakeTransport();
    let calls = 0;
    const app: PapaApp = await started(transport, [
      useCase("stops", { on: "#" }, async () => {
        calls += 1;
        while (calls < 2) await turns(1);
        await app.stop();
        await app.stop();
      }),
    ]);
    const settled = ["1", "2"].map((id) => transport.deliver("stops", { name: "a", id }));
    await turns();
    await app.stop();
    expect((await Promise.all(settled)).map(({ kind }) => kind)).toEqual(["done", "done"]);
    expect(app.health().state).toBe("stopped");
  });

  it("on a real queue: what it handled is not delivered again", async () => {
    const clock = virtualClock();
    const transport = memory({ clock });
    let calls = 0;
    const stops = (app: () => PapaApp) =>
      useCase("stops", { on: "a" }, async () => {
        calls += 1;
        await app().stop();
      });
    const first: PapaApp = await started(transport, [stops(() => first)]);
    await first.newEvent("a", 1);
    await vi.waitFor(() => expect(first.health().state).toBe("stopped"));
    const second = await started(transport, [stops(() => first)]);
    await clock.settled();
    expect([calls, (await second.stats()).stops]).toEqual([1, { ready: 0, inFlight: 0, waiting: 0, dead: 0 }]);
  });

  it("ends with the drain timeout where another handler does not", async () => {
    const transport = new FakeTransport();
    const clock = virtualClock();
    transport.clock = clock;
    let stopped: (() => Promise<boolean>) | undefined;
    const app: PapaApp = await started(
      transport,
      [
        useCase("stops", { on: "a" }, async () => {
          const stopping = app.stop();
          stopped = watched(stopping);
          await stopping;
        }),
        useCase("hangs", { on: "#" }, () => never),
      ],
      { drainTimeout: "5s" },
    );
    void transport.deliver("hangs", { name: "b" });
    await turns();
    void transport.deliver("stops", { name: "a" });
    await turns();
    expect(await stopped?.()).toBe(false);
    await clock.advance("5s");
    expect([await stopped?.(), app.health().state]).toEqual([true, "stopped"]);
  });

  // Such as a poison pill: the handler returns, and its app stops a moment later.
  it("does wait for the others where the handler that set it off has ended by then", async () => {
    const transport = new FakeTransport();
    const other = gate();
    let stopped: (() => Promise<boolean>) | undefined;
    const app: PapaApp = await started(transport, [
      useCase("pill", { on: "a" }, () => {
        setImmediate(() => setImmediate(() => (stopped = watched(app.stop()))));
      }),
      useCase("other", { on: "#" }, () => other.opened),
    ]);
    void transport.deliver("other", { name: "b" });
    await turns();
    await transport.deliver("pill", { name: "a" });
    await turns();
    expect(await stopped?.()).toBe(false);
    other.open();
    await vi.waitFor(async () => expect(await stopped?.()).toBe(true));
    expect(app.health().state).toBe("stopped");
  });

  it("and not awaited stops the app all the same", async () => {
    const transport = new FakeTransport();
    const app: PapaApp = await started(transport, [useCase("stops", { on: "#" }, () => void app.stop())]);
    expect((await transport.deliver("stops", { name: "a" })).kind).toBe("done");
    await vi.waitFor(() => expect(app.health().state).toBe("stopped"));
  });

  it.each(["onRetry", "onDeadLetter"])("called by %s it does not wait for itself", async (name) => {
    const transport = new FakeTransport();
    const app: PapaApp = await started(
      transport,
      [
        useCase("fails", { on: "#", retries: name === "onRetry" ? 1 : 0 }, () => {
          throw new Error("no");
        }),
      ],
      { [name]: () => app.stop() },
    );
    await transport.deliver("fails", { name: "a" });
    await vi.waitFor(() => expect(app.health().state).toBe("stopped"));
  });

  it("of another app waits for that one like anybody", async () => {
    const transport = new FakeTransport();
    const slow = gate();
    const other = await started(new FakeTransport());
    const busy = new FakeTransport();
    const target = await started(busy, [useCase("slow", { on: "#" }, () => slow.opened)]);
    void busy.deliver("slow", { name: "a" });
    await turns();
    let stopped: (() => Promise<boolean>) | undefined;
    await started(transport, [
      useCase("stops", { on: "#" }, async () => {
        await other.stop();
        stopped = watched(target.stop());
      }),
    ]);
    await transport.deliver("stops", { name: "a" });
    expect([other.health().state, await stopped?.()]).toEqual(["stopped", false]);
    slow.open();
    await vi.waitFor(async () => expect(await stopped?.()).toBe(true));
  });
});

it("L2 a subscription that cannot be stopped keeps stop() from waiting for no running handler", async () => {
  const transport = new FakeTransport();
  const ended = gate();
  const app = await started(transport, [useCase("log", { on: "#" }, () => ended.opened)]);
  const settled = transport.deliver("log", { name: "a" });
  await turns();
  transport.unsubscribing = Promise.reject(new Error("cut"));
  const stopped = watched(app.stop());
  expect(await stopped()).toBe(false);
  ended.open();
  expect(await settled).toEqual({ kind: "done", outputs: [] });
  await vi.waitFor(async () => expect(await stopped()).toBe(true));
});

describe("L2 stop() ends at most 2 s after drainTimeout, whatever does not answer", () => {
  /** Stops an app on the machine's clock, of which the test moves the timers, and gives what is logged. */
  async function stopping(prepare: (transport: FakeTransport) => void) {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const transport = new FakeTransport();
    prepare(transport);
    const warnings: unknown[] = [];
    const logger = { ...silent, warn: (_: object, message?: string) => void warnings.push(message) };
    const app = new PapaApp({ transport, logger, drainTimeout: "5s" });
    app.onEvent("#", { useCase: "log", retries: 0 }, (payload) => (payload === "hang" ? never : undefined));
    app.onEvent("#", { useCase: "fails", retries: 0 }, () => {
      throw new Error("no");
    });
    await app.start();
    return { transport, app, warnings };
  }

  async function stopsWithin(app: PapaApp, milliseconds: number): Promise<void> {
    const stopped = watched(app.stop());
    await turns();
    await vi.advanceTimersByTimeAsync(milliseconds);
    expect([await stopped(), app.health().state]).toEqual([true, "stopped"]);
  }

  it("the connection's close", async () => {
    const { app, warnings } = await stopping((transport) => (transport.closing = never));
    await stopsWithin(app, 2_000);
    expect(warnings).toEqual([
      "The broker did not answer while the connection was closed; it redelivers what was not settled.",
    ]);
  });

  it("a subscription's stop", async () => {
    const { app, transport } = await stopping((each) => (each.unsubscribing = never));
    await stopsWithin(app, 5_000 + 2_000);
    expect(transport.connections).toBe(0);
  });

  it("a handler and the close after it", async () => {
    const { app, transport } = await stopping((each) => (each.closing = never));
    void transport.deliver("log", { name: "a", body: Buffer.from('"hang"') });
    await turns();
    await stopsWithin(app, 5_000 + 2_000);
  });

  it("a settlement", async () => {
    const { app, transport } = await stopping((each) => (each.onSettle = () => never));
    void transport.deliver("fails", { name: "a" });
    await turns();
    await stopsWithin(app, 5_000 + 2_000);
    expect(transport.connections).toBe(0);
  });

  it("a publish", async () => {
    const { app, transport } = await stopping((each) => (each.onPublish = () => never));
    const published = app.newEvent("a", 1).catch((error: unknown) => error);
    await stopsWithin(app, 5_000 + 2_000);
    expect(await published).toMatchObject({ code: "stopped", retryable: true });
    expect(transport.connections).toBe(0);
  });

  it("a listener", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const transport = new FakeTransport();
    const app = new PapaApp({ transport, logger: silent, drainTimeout: "5s", onDeadLetter: () => never });
    app.onEvent("#", { useCase: "fails", retries: 0 }, () => {
      throw new Error("no");
    });
    await app.start();
    await transport.deliver("fails", { name: "a" });
    await stopsWithin(app, 5_000 + 2_000);
  });

  it.each([
    ["never answers", () => never],
    ["always refuses", () => Promise.reject(lost)],
  ])("a trial's record that %s to be taken back, and the connection is closed all the same", async (_, end) => {
    const { app, transport } = await stopping((each) => {
      each.trials = { begin: async () => 0, end };
    });
    await transport.deliver("log", { name: "a" }, { redeliveries: 2 });
    await stopsWithin(app, 5_000 + 2_000);
    expect(transport.connections).toBe(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("all of it at once", async () => {
    const { app, transport } = await stopping((each) => {
      each.closing = never;
      each.unsubscribing = never;
      each.trials = { begin: () => never, end: () => never };
      each.onSettle = () => never;
      each.onPublish = () => never;
    });
    void transport.deliver("log", { name: "a" }, { redeliveries: 2 });
    void transport.deliver("fails", { name: "a" });
    app.newEvent("a", 1).catch(() => {});
    await turns();
    await stopsWithin(app, 5_000 + 2_000);
  });
});

describe("L2 from the drain timeout on nothing counts that a handler still does", () => {
  /** Stops an app past its drain timeout while `handler` runs, lets that end, and gives what was settled and said. */
  async function outlived(handler: (signal: AbortSignal, ended: Promise<void>) => Promise<unknown>) {
    const transport = new FakeTransport();
    const clock = virtualClock();
    transport.clock = clock;
    const settlements: Settlement[] = [];
    transport.onSettle = async (settlement) => {
      settlements.push(settlement);
      return "stored";
    };
    const notified: unknown[] = [];
    const lines: unknown[] = [];
    const logger = { ...silent, warn: (about: object, message?: string) => void lines.push([message, about]) };
    const end = gate();
    const app = await started(
      transport,
      [useCase("slow", { on: "#", retries: 0 }, (_, { signal }) => handler(signal, end.opened) as Promise<undefined>)],
      {
        drainTimeout: "5s",
        logger,
        onRetry: () => void notified.push("retry"),
        onDeadLetter: () => void notified.push("dead"),
      },
    );
    void transport.deliver("slow", { name: "a" });
    await turns();
    const stopped = app.stop();
    await turns();
    await clock.advance("5s");
    await stopped;
    end.open();
    await turns(20);
    return { settlements, notified, lines, transport };
  }

  const nothing = { settlements: [], notified: [] };

  it.each<[string, (signal: AbortSignal, ended: Promise<void>) => Promise<unknown>]>([
    ["a return", async (_, ended) => ended],
    [
      "events that it returns",
      async (_, ended) => {
        await ended;
        return { name: "b", payload: 1 };
      },
    ],
    [
      "a throw",
      async (_, ended) => {
        await ended;
        throw new Error("no");
      },
    ],
    [
      "a return at the abort",
      (signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined))),
    ],
    [
      "the signal's reason thrown at the abort",
      (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    ],
  ])("%s", async (_, handler) => {
    const { settlements, notified, transport, lines } = await outlived(handler);
    expect({ settlements, notified }).toEqual(nothing);
    expect(transport.calls).toEqual([]);
    expect(lines).toEqual([
      [
        "The drain timeout passed; what still runs comes back with the same attempt.",
        { running: 1, drainTimeout: 5_000 },
      ],
    ]);
  });

  it("the signal's reason says that the app stops", async () => {
    let reason: unknown;
    await outlived((signal) => {
      signal.addEventListener("abort", () => (reason = signal.reason));
      return never;
    });
    expect(reason).toMatchObject({ code: "stopped", details: { operation: "handler" } });
  });

  it("a suspect's handler counts no more than others do", async () => {
    const transport = new FakeTransport();
    const clock = virtualClock();
    transport.clock = clock;
    transport.trials = { begin: async () => 0, end: async () => {} };
    const settlements: Settlement[] = [];
    transport.onSettle = async (settlement) => {
      settlements.push(settlement);
      return "stored";
    };
    let aborted = false;
    const end = gate();
    const slow = useCase("slow", { on: "#" }, async (_, { signal }) => {
      signal.addEventListener("abort", () => (aborted = true));
      await end.opened;
    });
    const app = await started(transport, [slow], { drainTimeout: "5s" });
    void transport.deliver("slow", { name: "a" }, { redeliveries: 2 });
    await turns();
    const stopped = app.stop();
    await turns();
    await clock.advance("5s");
    await stopped;
    end.open();
    await turns();
    expect([aborted, settlements]).toEqual([true, []]);
  });

  it("before it, everything does: a return while it drains is stored", async () => {
    const transport = new FakeTransport();
    const end = gate();
    const app = await started(transport, [useCase("slow", { on: "#" }, () => end.opened)]);
    const settled = transport.deliver("slow", { name: "a" });
    await turns();
    const stopped = app.stop();
    await turns();
    end.open();
    expect((await settled).kind).toBe("done");
    await stopped;
  });
});

describe("L2 nothing new is begun by an app that stops", () => {
  it("what it has read ahead goes back, the last first, once nothing more is delivered", async () => {
    const transport = new FakeTransport();
    const unsubscribed = gate();
    transport.unsubscribing = unsubscribed.opened;
    const settlements: string[] = [];
    const end = gate();
    let called = 0;
    const app = await started(transport, [
      useCase("slow", { on: "#", concurrency: 1 }, async () => {
        called += 1;
        await end.opened;
      }),
    ]);
    const deliver = (id: string) =>
      void transport.deliver("slow", { name: "a", id }).then(({ kind }) => settlements.push(`${id} ${kind}`));
    for (const id of ["1", "2", "3"]) deliver(id);
    await turns();
    const stopped = app.stop();
    // One that was on its way.
    deliver("4");
    await turns();
    // What goes back earlier would be handed to this instance again.
    expect(settlements).toEqual([]);
    unsubscribed.open();
    await turns();
    expect(settlements).toEqual(["4 release", "3 release", "2 release"]);
    end.open();
    await stopped;
    expect([settlements.at(-1), called]).toEqual(["1 done", 1]);
  });
});

describe("what is asked of an app that stops", () => {
  it("L6 stats() and deadLetters() while the connection is closed are `stopped`, not a lost connection", async () => {
    const transport = new FakeTransport();
    const closed = gate();
    transport.closing = closed.opened;
    const app = await started(transport, [useCase("log", { on: "a" }, () => {})]);
    const letters = app.deadLetters("log");
    const stopped = app.stop();
    await turns();
    expect(app.health().state).toBe("stopping");
    for (const call of [app.stats(), letters.count(), letters.list(), app.newEvent("a", 1), app.newEvents([])]) {
      await expect(call).rejects.toMatchObject({ code: "stopped" });
    }
    closed.open();
    await stopped;
    await expect(app.stats()).rejects.toMatchObject({ code: "stopped" });
  });

  it("what was asked before the connection was closed, and fails by that, is `stopped` too", async () => {
    const transport = new FakeTransport();
    const answer = Promise.withResolvers<never>();
    transport.onInspect = () => answer.promise;
    const app = await started(transport, [useCase("log", { on: "a" }, () => {})]);
    const stats = app.stats().catch((error: unknown) => error);
    await turns();
    await app.stop();
    answer.reject(lost);
    expect(await stats).toMatchObject({ code: "stopped", details: { operation: "stats" }, cause: lost });
  });

  it("a connection that is lost while the app runs is told as that", async () => {
    const transport = new FakeTransport();
    transport.onInspect = () => Promise.reject(lost);
    const app = await started(transport, [useCase("log", { on: "a" }, () => {})]);
    await expect(app.stats()).rejects.toBe(lost);
  });

  it("while handlers are drained, stats() answers", async () => {
    const transport = new FakeTransport();
    const end = gate();
    const app = await started(transport, [useCase("slow", { on: "#" }, () => end.opened)]);
    void transport.deliver("slow", { name: "a" });
    await turns();
    const stopped = app.stop();
    await turns();
    expect(Object.keys(await app.stats())).toEqual(["slow"]);
    end.open();
    await stopped;
  });
});

describe("run()", () => {
  const listeners = () => process.listenerCount("SIGTERM") + process.listenerCount("SIGINT");

  it("resolves when stop() is called elsewhere, and leaves no listener", async () => {
    const before = listeners();
    const app = new PapaApp({ transport: new FakeTransport(), logger: silent });
    const running = app.run();
    await vi.waitFor(() => expect(app.health().state).toBe("running"));
    expect(listeners()).toBe(before + 2);
    await app.stop();
    await running;
    expect([app.health().state, listeners()]).toEqual(["stopped", before]);
  });

  it("resolves when a handler stops the app, after that handler", async () => {
    const transport = new FakeTransport();
    const app: PapaApp = new PapaApp({ transport, logger: silent });
    const end = gate();
    app.onEvent("#", { useCase: "stops" }, async () => {
      await app.stop();
      await end.opened;
    });
    const running = app.run();
    await vi.waitFor(() => expect(app.health().state).toBe("running"));
    const settled = transport.deliver("stops", { name: "a" });
    const ended = watched(running);
    expect(await ended()).toBe(false);
    end.open();
    await running;
    expect((await settled).kind).toBe("done");
  });
});

describe("use() takes all of a list or none of it", () => {
  const named = (...names: string[]) => names.map((name) => useCase(name, { on: "a" }, () => {}));

  it.each<[string, () => readonly unknown[]]>([
    ["one of a name that the app has", () => named("new", "log")],
    ["two of one name", () => named("new", "other", "new")],
    ["something that is none", () => [...named("new"), {}]],
    ["something that is none in a list of its own", () => [named("new"), [undefined]]],
  ])("not where there is %s", async (_, list) => {
    const app = new PapaApp({ transport: new FakeTransport(), logger: silent }).use(named("log"));
    onTestFinished(() => app.stop());
    expect(() => app.use(...(list() as never[]))).toThrow(PapaError);
    // So that the caller can put it right and call again.
    app.use(...named("new", "other"));
    await app.start();
    expect(Object.keys(await app.stats())).toEqual(["log", "new", "other"]);
  });
});
