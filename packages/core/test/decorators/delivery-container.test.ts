import type { DeadLetterItem, Wrap } from "@papa-events/core";
import { EventContext, onEvent } from "@papa-events/core/decorators";
import { inject, injectable, Lifecycle, registry, scoped, singleton } from "tsyringe";
import { expect, test, vi } from "vitest";
import { started, thrownBy } from "./support.ts";

test("a class gets its dependencies by type, from the app's container", async () => {
  @injectable()
  class Mailer {
    constructor(readonly server: string) {}
  }
  const seen: unknown[] = [];
  @injectable()
  class SendWelcome {
    constructor(private readonly mailer: Mailer) {}

    @onEvent("user.created", { useCase: "send_welcome" })
    handle(user: unknown): void {
      seen.push([this.mailer.server, user]);
    }
  }
  const { app, clock } = await started((app, container) => {
    container.registerInstance(Mailer, new Mailer("smtp"));
    app.register(SendWelcome);
  });
  await app.newEvent("user.created", { name: "carlos" });
  await clock.settled();
  expect(seen).toEqual([["smtp", { name: "carlos" }]]);
});

test("H6 the context is the second argument, and is injected as EventContext however deep", async () => {
  const seen: unknown[] = [];
  @injectable()
  class Trace {
    constructor(readonly context: EventContext) {}
  }
  @injectable()
  class Log {
    constructor(
      readonly trace: Trace,
      @inject(EventContext) readonly context: EventContext,
    ) {}

    @onEvent("user.*", { useCase: "log" })
    async handle(payload: unknown, context: EventContext): Promise<void> {
      seen.push(this.context === context, this.trace.context === context, context instanceof EventContext);
      seen.push([context.eventName, context.id, context.attempt, context.useCase, context.payload === payload]);
    }
  }
  const { app, clock } = await started((app) => app.register(Log));
  const { id } = await app.newEvent("user.created", {});
  await clock.settled();
  expect(seen).toEqual([true, true, true, ["user.created", id, 1, "log", true]]);
});

test("each delivery, each attempt too, has a container of its own", async () => {
  @scoped(Lifecycle.ContainerScoped)
  class Unit {}
  @injectable()
  class Repository {
    constructor(readonly unit: Unit) {}
  }
  const units: Unit[] = [];
  @injectable()
  class Store {
    constructor(
      private readonly unit: Unit,
      private readonly repository: Repository,
    ) {}

    @onEvent("a", { useCase: "store", retryDelay: "10s" })
    handle(_payload: unknown, context: EventContext): void {
      expect(this.repository.unit).toBe(this.unit);
      units.push(this.unit);
      if (context.attempt === 1) throw new Error("again");
    }
  }
  const { app, clock } = await started((app) => app.register(Store));
  await app.newEvents([
    { name: "a", payload: 1 },
    { name: "a", payload: 2 },
  ]);
  await clock.advance("10s");
  expect(units).toHaveLength(4);
  expect(new Set(units)).toHaveLength(4);
});

test("two handlers that run at once have a container each", async () => {
  @scoped(Lifecycle.ContainerScoped)
  class Unit {}
  const units: Unit[] = [];
  const handlers: unknown[] = [];
  @injectable()
  class Store {
    constructor(private readonly unit: Unit) {}

    @onEvent("a", { useCase: "store" })
    async handle(): Promise<void> {
      units.push(this.unit);
      handlers.push(this);
      await vi.waitFor(() => expect(units).toHaveLength(2));
    }
  }
  const { app, clock } = await started((app) => app.register(Store));
  await Promise.all([app.newEvent("a", 1), app.newEvent("a", 2)]);
  await clock.settled();
  expect([new Set(units).size, new Set(handlers).size]).toEqual([2, 2]);
});

test("a wrap that calls next() a second time fails the attempt, and no second instance is made", async () => {
  let made = 0;
  @injectable()
  class Store {
    constructor() {
      made += 1;
    }

    @onEvent("a", { useCase: "store", retries: 0 })
    handle(): void {}
  }
  const twice: Wrap = async (_context, next) => {
    await next();
    return next();
  };
  const { app, clock } = await started((app) => app.register(Store), { wrap: twice });
  await app.newEvent("a", 1);
  await clock.settled();
  const { items } = await app.deadLetters("store").list();
  expect([made, items.map(({ error }) => error.message)]).toEqual([
    1,
    ["A wrap called next() a second time; it may call it once, or not at all."],
  ]);
});

test("what is registered after the start counts, whatever its lifecycle", async () => {
  abstract class Numbers {
    abstract readonly value: number;
  }
  let made = 0;
  class Counted extends Numbers {
    readonly value = ++made;
  }
  const Token = Numbers as unknown as new () => Numbers;
  const seen: number[][] = [];
  @injectable()
  class Reader {
    constructor(
      @inject(Token) private readonly one: Numbers,
      @inject(Token) private readonly other: Numbers,
    ) {}

    @onEvent("a", { useCase: "reader" })
    handle(): void {
      seen.push([this.one.value, this.other.value]);
    }
  }
  const { app, clock, container } = await started((app, container) => {
    container.registerInstance(Token, { value: 0 });
    app.register(Reader);
  });
  const deliver = async () => {
    await app.newEvent("a", 1);
    await clock.settled();
  };
  await deliver();
  for (const lifecycle of [Lifecycle.ContainerScoped, Lifecycle.Transient, Lifecycle.ResolutionScoped]) {
    container.register(Token, { useClass: Counted }, { lifecycle });
    await deliver();
    await deliver();
  }
  expect(seen).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 4],
    [5, 6],
    [7, 7],
    [8, 8],
  ]);
});

test("factories are called with the delivery's container", async () => {
  const seen: unknown[] = [];
  class Tenant {
    constructor(readonly name: string | undefined) {}
  }
  @injectable()
  @registry([{ token: Tenant, useFactory: (container) => new Tenant(container.resolve(EventContext).headers.tenant) }])
  class Billing {
    constructor(private readonly tenant: Tenant) {}

    @onEvent("order.paid", { useCase: "billing" })
    handle(): void {
      seen.push(this.tenant.name);
    }
  }
  const { app, clock } = await started((app) => app.register(Billing));
  await app.newEvent("order.paid", {}, { headers: { tenant: "acme" } });
  await clock.settled();
  expect(seen).toEqual(["acme"]);
});

test("what the container has in the place of the class is called, by the method's name", async () => {
  class Real {
    @onEvent("a", { useCase: "real" })
    handle(_payload: unknown): void {
      throw new Error("not to be called");
    }
  }
  const seen: unknown[] = [];
  const fake = { handle: (payload: unknown) => void seen.push(payload) };
  const { app, clock } = await started((app, container) => {
    container.registerInstance(Real, fake);
    app.register(Real);
  });
  await app.newEvent("a", 1);
  await clock.settled();
  expect(seen).toEqual([1]);
});

test("T1 a class that cannot be made fails the attempt: it is retried, then a dead letter with tsyringe's message", async () => {
  @injectable()
  class Lost {
    constructor(@inject("mailer") readonly mailer: unknown) {}

    @onEvent("a", { useCase: "lost", retries: 2, retryDelay: "1s" })
    handle(): void {}
  }
  const retried: unknown[] = [];
  const dead: DeadLetterItem[] = [];
  const { app, clock, container } = await started((app) => app.register(Lost), {
    onRetry: (context) => retried.push(context.attempt),
    onDeadLetter: (item) => dead.push(item),
  });
  await app.newEvent("a", 1);
  await clock.advance("10s");
  expect(retried).toEqual([1, 2]);
  expect(dead.map(({ reason, attempts }) => [reason, attempts])).toEqual([["retries-exhausted", 3]]);
  expect(dead[0]?.error?.message).toContain('Attempted to resolve unregistered dependency token: "mailer"');

  container.registerInstance("mailer", {});
  expect(await app.deadLetters("lost").redrive("all")).toBe(1);
  await clock.settled();
  expect(await app.deadLetters("lost").count()).toBe(0);
});

test("a singleton cannot be given the context of the delivery that is the first to ask for it", async () => {
  @singleton()
  class Audit {
    constructor(readonly context: EventContext) {}
  }
  @injectable()
  class Log {
    constructor(readonly audit: Audit) {}

    @onEvent("a", { useCase: "log", retries: 0 })
    handle(): void {}
  }
  const dead: DeadLetterItem[] = [];
  const { app, clock } = await started((app) => app.register(Log), { onDeadLetter: (item) => dead.push(item) });
  await app.newEvent("a", 1);
  await clock.settled();
  expect(dead[0]?.error?.message).toContain("what outlives deliveries, such as a singleton, cannot be given one");
});

test("an EventContext is made by nobody but the library", () => {
  expect(thrownBy(() => new EventContext())).toMatchObject({
    code: "invalid-option",
    message: expect.stringContaining("it belongs to one delivery"),
  });
});
