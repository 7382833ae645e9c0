import { describe, expect, it } from "vitest";
import { type AppState, PapaApp, PapaError, useCase } from "../../src/index.ts";
import type { Connection, ConnectOptions, Transport } from "../../src/transport.ts";
import { FakeTransport, silent, started, thrownBy, turns } from "../support.ts";

const codeOf = (error: unknown) => (error instanceof PapaError ? `${error.code}: ${error.message}` : String(error));
const rejection = (promise: Promise<unknown>) => promise.then(() => "resolved", codeOf);

/** An app in the middle of starting, of which the test says how it ends. */
function connecting() {
  const transport = new FakeTransport();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const slow: Transport = {
    name: "fake",
    connect: async (options) => {
      await promise;
      return transport.connect(options);
    },
  };
  return { app: new PapaApp({ transport: slow, logger: silent }), connected: resolve, refused: reject };
}

/** A broker on which the test says when one of the use cases is subscribed. */
class SlowSubscriber extends FakeTransport {
  readonly subscribed = Promise.withResolvers<void>();
  readonly #useCase: string;

  constructor(useCase: string) {
    super();
    this.#useCase = useCase;
  }

  override async connect(options: ConnectOptions): Promise<Connection> {
    const connection = await super.connect(options);
    return {
      ...connection,
      subscribe: async (useCase, ...args) => {
        if (useCase === this.#useCase) await this.subscribed.promise;
        return connection.subscribe(useCase, ...args);
      },
    };
  }
}

describe("an app goes through its life once", () => {
  it("new, starting, running, stopping, stopped", async () => {
    const { app, connected } = connecting();
    const states: AppState[] = [app.health().state];
    const starting = app.start();
    states.push(app.health().state);
    connected();
    await starting;
    states.push(app.health().state);
    const stopping = app.stop();
    states.push(app.health().state);
    await stopping;
    states.push(app.health().state);
    expect(states).toEqual(["new", "starting", "running", "stopping", "stopped"]);
  });

  it("before start() there is nothing to use", async () => {
    const app = new PapaApp({ transport: new FakeTransport() });
    expect(await rejection(app.newEvent("a", 1))).toBe(
      "not-started: newEvent needs a running app; await app.start() first.",
    );
    expect(await rejection(app.newEvents([]))).toBe(
      "not-started: newEvents needs a running app; await app.start() first.",
    );
    expect(await rejection(app.stats())).toBe("not-started: stats needs a running app; await app.start() first.");
    expect(await rejection(app.deadLetters("log").count())).toBe(
      "not-started: deadLetters needs a running app; await app.start() first.",
    );
  });

  it("while it starts likewise", async () => {
    const { app, connected } = connecting();
    const starting = app.start();
    expect(await rejection(app.newEvent("a", 1))).toMatch(/^not-started: /);
    connected();
    await starting;
    await app.stop();
  });

  // A use case with a backlog is handled while a slow broker has others still subscribe.
  it("a handler that runs before start() has resolved can use the app; whoever else calls has to wait", async () => {
    const transport = new SlowSubscriber("slow");
    const app = new PapaApp({ transport, logger: silent, unwanted: "accept" });
    app.onEvent("a", { useCase: "quick" }, () => app.newEvent("b", 1).then(() => {}));
    app.onEvent("a", { useCase: "slow" }, () => {});
    const starting = app.start();
    await turns();
    expect(await transport.deliver("quick", { name: "a" })).toEqual({ kind: "done", outputs: [] });
    expect(transport.calls.flat().map(({ name }) => name)).toEqual(["b"]);
    expect(await rejection(app.newEvent("b", 1))).toMatch(/^not-started: /);
    transport.subscribed.resolve();
    await starting;
    await app.newEvent("b", 1);
    await app.stop();
  });

  it("L4 after a start() that failed at the last use case no handler of another begins", async () => {
    const transport = new SlowSubscriber("slow");
    const called: string[] = [];
    const handler = Promise.withResolvers<void>();
    const app = new PapaApp({ transport, logger: silent, concurrency: 1 });
    app.onEvent("a", { useCase: "quick" }, async (_, ctx) => {
      called.push(ctx.id);
      await handler.promise;
    });
    app.onEvent("a", { useCase: "slow" }, () => {});
    const starting = app.start();
    await turns();
    void transport.deliver("quick", { name: "a", id: "1" });
    const second = transport.deliver("quick", { name: "a", id: "2" });
    await turns();
    transport.subscribed.reject(new Error("refused"));
    await expect(starting).rejects.toThrow("refused");
    expect(await second).toEqual({ kind: "release" });
    handler.resolve();
    await turns();
    expect(called).toEqual(["1"]);
    expect(app.health()).toMatchObject({ state: "new", connected: false });
  });

  it("a second start() is told, whenever it comes", async () => {
    const { app, connected } = connecting();
    const starting = app.start();
    expect(await rejection(app.start())).toBe("already-started: start() has been called before; the app is starting.");
    connected();
    await starting;
    expect(await rejection(app.start())).toBe("already-started: start() has been called before; the app is running.");
    const stopping = app.stop();
    expect(await rejection(app.start())).toBe("already-started: start() has been called before; the app is stopping.");
    await stopping;
    expect(await rejection(app.start())).toBe("stopped: start came after stop(); make a new PapaApp to start again.");
  });

  it("a use case that comes after start() is told", async () => {
    const app = await started(new FakeTransport());
    const log = useCase("log", { on: "a" }, () => {});
    const expected = "already-started: adding a use case has to come before start(); the app is running.";
    expect(codeOf(thrownBy(() => app.use(log)))).toBe(expected);
    expect(codeOf(thrownBy(() => app.onEvent("a", { useCase: "log" }, () => {})))).toBe(expected);
    await app.stop();
    expect(codeOf(thrownBy(() => app.use(log)))).toBe(
      "stopped: adding a use case came after stop(); make a new PapaApp to start again.",
    );
  });

  it("after stop() there is nothing to use", async () => {
    const app = await started(new FakeTransport());
    const letters = app.deadLetters("log");
    await app.stop();
    expect(await rejection(app.newEvent("a", 1))).toBe(
      "stopped: newEvent came after stop(); make a new PapaApp to start again.",
    );
    expect(await rejection(app.newEvents([]))).toMatch(/^stopped: newEvents came after stop\(\)/);
    expect(await rejection(app.stats())).toMatch(/^stopped: stats came after stop\(\)/);
    expect(await rejection(letters.list())).toMatch(/^stopped: deadLetters came after stop\(\)/);
  });

  it("stop() before start(), twice, or by several at once just resolves", async () => {
    const app = new PapaApp({ transport: new FakeTransport(), logger: silent });
    await app.stop();
    expect(app.health().state).toBe("new");
    await app.start();
    await Promise.all([app.stop(), app.stop(), app[Symbol.asyncDispose]()]);
    await app.stop();
    expect(app.health().state).toBe("stopped");
  });

  it("stop() while it starts waits for that and stops", async () => {
    const { app, connected } = connecting();
    const starting = app.start();
    const stopping = app.stop();
    connected();
    await Promise.all([starting, stopping]);
    expect(app.health().state).toBe("stopped");
  });

  it("stop() while it starts in vain just resolves", async () => {
    const { app, refused } = connecting();
    const starting = app.start();
    const stopping = app.stop();
    refused(new Error("no broker"));
    await expect(starting).rejects.toThrow("no broker");
    await stopping;
    expect(app.health().state).toBe("new");
  });

  it("L4 a failed start() rejects with why, closes what was open, and can be tried again", async () => {
    const transport = new FakeTransport();
    let closed = 0;
    const flaky: Transport = {
      name: "fake",
      connect: async (options) => {
        const connection = await transport.connect(options);
        return {
          ...connection,
          declarations: {
            ...connection.declarations,
            declare: async () => {
              if (closed === 0)
                throw new PapaError("topology-conflict", "queue log differs", { object: "log", difference: "x" });
            },
          },
          close: async () => {
            closed += 1;
          },
        };
      },
    };
    const app = new PapaApp({ transport: flaky, logger: silent }).onEvent("a", { useCase: "log" }, () => {});
    expect(await rejection(app.start())).toBe("topology-conflict: queue log differs");
    expect([app.health().state, closed]).toEqual(["new", 1]);
    await app.start();
    await app.stop();
    expect([app.health().state, closed]).toEqual(["stopped", 2]);
  });

  it("await using stops it", async () => {
    const transport = new FakeTransport();
    let kept: PapaApp;
    {
      await using app = new PapaApp({ transport, logger: silent });
      await app.start();
      kept = app;
    }
    expect(kept.health().state).toBe("stopped");
  });
});

it("stats are asked of the broker by use case, also one that is called __proto__", async () => {
  const transport = new FakeTransport();
  const app = await started(
    transport,
    ["log", "__proto__"].map((name) => useCase(name, { on: "a" }, () => {})),
  );
  const none = { ready: 0, inFlight: 0, waiting: 0, dead: 0 };
  expect(Object.entries(await app.stats())).toEqual([
    ["log", none],
    ["__proto__", none],
  ]);
});

describe("use()", () => {
  it("refuses a second use case of a name, by whichever way they come", () => {
    const log = useCase("log", { on: "b" }, () => {});
    const both = new PapaApp({ transport: new FakeTransport() }).onEvent("a", { useCase: "log" }, () => {});
    expect(thrownBy(() => both.use(log))).toMatchObject({
      code: "duplicate-use-case",
      message: 'This app has a use case "log" already; a use case has one handler, on one or several patterns.',
      details: { useCase: "log" },
    });
  });

  it.each([undefined, {}, () => {}, ["log"], [[useCase("nested", { on: "a" }, () => {})]]])(
    "takes no %o",
    (useCases) => {
      const app = new PapaApp({ transport: new FakeTransport() });
      expect(thrownBy(() => app.use(useCases as never))).toMatchObject({
        code: "invalid-option",
        message: "use: a use case made by useCase(...) is needed, or a list of them.",
      });
    },
  );
});
