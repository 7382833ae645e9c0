import { onEvent } from "@papa-events/core/decorators";
import { memory, virtualClock } from "@papa-events/transport-memory";
import { delay, inject, injectable, Lifecycle, scoped } from "tsyringe";
import { expect, test, vi } from "vitest";
import { notingSettlements, silent, started } from "./support.ts";

/** What has a `dispose()` that tells of it. */
abstract class Disposable {
  static log: string[];
  disposed = 0;

  dispose(): unknown {
    this.disposed += 1;
    Disposable.log.push(`disposed: ${this.constructor.name}`);
    return undefined;
  }
}

function freshLog(): string[] {
  Disposable.log = [];
  return Disposable.log;
}

const outcomes = [
  { outcome: "done", result: () => [{ name: "b", payload: 1 }] },
  {
    outcome: "retry",
    result: () => {
      throw new Error("no");
    },
  },
  { outcome: "dead", result: () => 1 as unknown as undefined },
];

test.each(outcomes)(
  "what was made for a delivery is disposed of once its settlement is stored: $outcome",
  async ({ outcome, result }) => {
    const log = freshLog();
    @injectable()
    class Unit extends Disposable {}
    @injectable()
    class Repository extends Disposable {
      constructor(readonly unit: Unit) {
        super();
      }
    }
    @injectable()
    class Store extends Disposable {
      constructor(readonly repository: Repository) {
        super();
      }

      @onEvent("a", { useCase: "store", retries: 1 })
      async handle() {
        log.push("handled");
        return result();
      }
    }
    const clock = virtualClock();
    const transport = notingSettlements(memory({ clock }), log);
    const { app } = await started((app) => app.register(Store), { transport });
    await app.newEvent("a", 1);
    await clock.settled();
    await app.stop();
    // What was made last first: what it was made with is still whole.
    expect(log).toEqual([
      "handled",
      `settled: ${outcome}`,
      "disposed: Store",
      "disposed: Repository",
      "disposed: Unit",
    ]);
  },
);

test("an asynchronous dispose() is waited for, by the next one and by stop()", async () => {
  const log = freshLog();
  @injectable()
  class Connection extends Disposable {}
  @injectable()
  class Transaction {
    constructor(readonly connection: Connection) {}

    async dispose(): Promise<void> {
      log.push("rolling back");
      await new Promise((resolve) => setImmediate(resolve));
      log.push("rolled back");
    }
  }
  @injectable()
  class Store {
    constructor(readonly transaction: Transaction) {}

    @onEvent("a", { useCase: "store" })
    handle(): void {}
  }
  const { app, clock } = await started((app) => app.register(Store));
  await app.newEvent("a", 1);
  await clock.settled();
  await app.stop();
  expect(log).toEqual(["rolling back", "rolled back", "disposed: Connection"]);
});

test("each attempt's instances are disposed of, once each, also those of a class that failed halfway", async () => {
  const log = freshLog();
  @injectable()
  class Unit extends Disposable {}
  let attempts = 0;
  @injectable()
  class Store {
    constructor(readonly unit: Unit) {
      attempts += 1;
      if (attempts === 2) throw new Error("not today");
    }

    @onEvent("a", { useCase: "store", retryDelay: "10s" })
    handle(): void {
      if (attempts === 1) throw new Error("no");
    }
  }
  const { app, clock } = await started((app) => app.register(Store));
  await app.newEvent("a", 1);
  await clock.advance("20s");
  await app.stop();
  expect(attempts).toBe(3);
  expect(log).toEqual(["disposed: Unit", "disposed: Unit", "disposed: Unit"]);
});

test("a dispose() that throws is logged, and keeps nothing else from being disposed of", async () => {
  const log = freshLog();
  @injectable()
  class Unit extends Disposable {}
  @injectable()
  class Broken {
    constructor(readonly unit: Unit) {}

    dispose(): void {
      throw new Error("stuck");
    }
  }
  @injectable()
  class Store {
    constructor(readonly broken: Broken) {}

    @onEvent("a", { useCase: "store" })
    handle(): void {}
  }
  const error = vi.fn();
  const { app, clock } = await started((app) => app.register(Store), { logger: { ...silent, error } });
  await app.newEvent("a", 1);
  await clock.settled();
  await app.stop();
  expect(log).toEqual(["disposed: Unit"]);
  expect(error).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ err: new Error("stuck"), useCase: "store" }),
    'Disposing of a "Broken" after its delivery failed.',
  );
});

test("H7 what a handler uses that outlives its timeout is disposed of when it has ended", async () => {
  const log = freshLog();
  @injectable()
  class Unit extends Disposable {}
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  @injectable()
  class Slow {
    constructor(readonly unit: Unit) {}

    @onEvent("a", { useCase: "slow", timeout: "1s", retries: 0 })
    async handle(): Promise<void> {
      await ended;
      log.push(`ended, disposed: ${this.unit.disposed}`);
    }
  }
  const { app, clock } = await started((app) => app.register(Slow));
  await app.newEvent("a", 1);
  await clock.advance("2s");
  expect(await app.deadLetters("slow").count()).toBe(1);
  end();
  await app.stop();
  expect(log).toEqual(["ended, disposed: 0", "disposed: Unit"]);
});

test("what a handler makes only while it runs is disposed of too", async () => {
  const log = freshLog();
  @injectable()
  class Report extends Disposable {
    lines = 0;
  }
  @injectable()
  class Reporter {
    constructor(@inject(delay(() => Report)) readonly report: Report) {}

    @onEvent("a", { useCase: "reporter" })
    handle(payload: unknown): void {
      if (payload === "report") this.report.lines += 1;
    }
  }
  const { app, clock } = await started((app) => app.register(Reporter));
  await app.newEvent("a", "nothing");
  await app.newEvent("a", "report");
  await clock.settled();
  await app.stop();
  expect(log).toEqual(["disposed: Report"]);
});

test("a singleton is never disposed of, nor what it is made of, also when a delivery was the first to ask for it", async () => {
  const log = freshLog();
  @injectable()
  class Pool extends Disposable {}
  @scoped(Lifecycle.ContainerScoped)
  class Settings extends Disposable {}
  @scoped(Lifecycle.ResolutionScoped)
  class Session extends Disposable {}
  @injectable()
  class Database extends Disposable {
    constructor(
      readonly pool: Pool,
      readonly settings: Settings,
      readonly session: Session,
    ) {
      super();
    }
  }
  @scoped(Lifecycle.ContainerScoped)
  class Unit extends Disposable {
    constructor(readonly database: Database) {
      super();
    }
  }
  const databases = new Set<Database>();
  @injectable()
  class Store {
    constructor(
      readonly session: Session,
      readonly unit: Unit,
      readonly settings: Settings,
      @inject("database") readonly database: Database,
    ) {}

    @onEvent("a", { useCase: "store" })
    handle(): void {
      expect(this.unit.database).toBe(this.database);
      expect(this.settings).not.toBe(this.database.settings);
      expect(this.session).not.toBe(this.database.session);
      databases.add(this.database);
    }
  }
  const { app, clock, container } = await started((app, container) => {
    container.registerSingleton(Database);
    container.register("database", { useToken: Database });
    app.register(Store);
  });
  await app.newEvent("a", 1);
  await app.newEvent("a", 2);
  await clock.settled();
  await app.stop();
  expect(databases).toHaveLength(1);
  expect([...log].sort()).toEqual(
    ["Session", "Session", "Settings", "Settings", "Unit", "Unit"].map((name) => `disposed: ${name}`),
  );

  // It is the app's container's, which the user disposes of with the app.
  log.length = 0;
  await container.dispose();
  expect([...log].sort()).toEqual(["disposed: Database", "disposed: Pool", "disposed: Session", "disposed: Settings"]);
});

test("a class that is a singleton itself handles all deliveries and is not disposed of", async () => {
  const log = freshLog();
  const instances = new Set<object>();
  @injectable()
  class Log extends Disposable {
    @onEvent("a", { useCase: "log" })
    handle(): void {
      instances.add(this);
    }
  }
  const { app, clock } = await started((app, container) => {
    container.registerSingleton(Log);
    app.register(Log);
  });
  await app.newEvent("a", 1);
  await app.newEvent("a", 2);
  await clock.settled();
  await app.stop();
  expect(instances).toHaveLength(1);
  expect(log).toEqual([]);
});

test("values, and what factories make themselves, are not disposed of", async () => {
  const log = freshLog();
  class Value extends Disposable {}
  class Made extends Disposable {}
  @injectable()
  class Store {
    constructor(
      readonly value: Value,
      readonly made: Made,
    ) {}

    @onEvent("a", { useCase: "store" })
    handle(): void {}
  }
  const { app, clock } = await started((app, container) => {
    container.registerInstance(Value, new Value());
    container.register(Made, { useFactory: () => new Made() });
    app.register(Store);
  });
  await app.newEvent("a", 1);
  await clock.settled();
  await app.stop();
  expect(log).toEqual([]);
});

test("a container that is kept beyond its delivery says so when it is asked for something", async () => {
  freshLog();
  @injectable()
  class Unit extends Disposable {}
  @injectable()
  class Late extends Disposable {}
  const later: (() => unknown)[] = [];
  @injectable()
  class Store {
    constructor(
      readonly unit: Unit,
      @inject(delay(() => Late)) readonly late: Late,
    ) {}

    @onEvent("a", { useCase: "store" })
    handle(): void {
      later.push(() => this.late.disposed);
    }
  }
  const { app, clock } = await started((app) => app.register(Store));
  await app.newEvent("a", 1);
  await clock.settled();
  await app.stop();
  expect(later).toHaveLength(1);
  for (const ask of later) expect(ask).toThrowError(/disposed/);
});

test("what was made for a handler that outlived the drain timeout is disposed of when it ends", async () => {
  const log = freshLog();
  const { promise: slow, resolve: end } = Promise.withResolvers<void>();
  @injectable()
  class Store extends Disposable {
    @onEvent("a", { useCase: "store" })
    async handle() {
      log.push("handled");
      await slow;
      return [{ name: "b", payload: 1 }];
    }
  }
  const { app, clock } = await started((app) => app.register(Store), { drainTimeout: "5s" });
  await app.newEvent("a", 1);
  await vi.waitFor(() => expect(log).toEqual(["handled"]));
  const stopped = app.stop();
  await clock.advance("5s");
  await stopped;
  expect(log).toEqual(["handled"]);
  end();
  await vi.waitFor(() => expect(log).toEqual(["handled", "disposed: Store"]));
});
