import { useCase } from "@papa-events/core";
import { EventContext, handledBy } from "@papa-events/core/decorators";
import { container as globalContainer, injectable } from "tsyringe";
import { afterEach, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { silent, started, thrownBy } from "./support.ts";

const User = z.object({ name: z.string().toUpperCase() });

let mailers: Mailer[] = [];
afterEach(() => {
  mailers = [];
  globalContainer.reset();
});

class Mailer {
  readonly sent: string[] = [];
  disposed = 0;

  constructor() {
    mailers.push(this);
  }

  dispose(): void {
    this.disposed += 1;
  }
}

@injectable()
class SendWelcome {
  readonly greeting = "bienvenido";
  readonly arrow = async () => {};

  constructor(
    private readonly mailer: Mailer,
    private readonly context: EventContext,
  ) {}

  async handle(user: z.output<typeof User>, context: EventContext) {
    if (context !== this.context) throw new Error("another context");
    if (user.name === "NOBODY") throw new Error("nobody");
    this.mailer.sent.push(`${this.greeting} ${user.name}`);
    return { name: "email.sent", payload: { to: user.name } };
  }

  count(by: number): number {
    return this.mailer.sent.length * by;
  }
}

test("a method handles without decorator syntax, on an instance from the app's container", async () => {
  const mailer = new Mailer();
  const sent: unknown[] = [];
  const { app, clock } = await started((app, container) => {
    container.registerInstance(Mailer, mailer);
    app.onEvent("user.created", { useCase: "send_welcome", schema: User }, handledBy(SendWelcome, "handle"));
    app.onEvent("email.sent", { useCase: "sent" }, (payload) => void sent.push(payload));
  });
  await app.newEvent("user.created", { name: "carlos" });
  await clock.settled();
  expect(mailer.sent).toEqual(["bienvenido CARLOS"]);
  expect(sent).toEqual([{ to: "CARLOS" }]);
});

test("an app without a container takes the global one", async () => {
  const { app, clock } = await started(
    (app) => app.onEvent("user.created", { useCase: "welcome", schema: User }, handledBy(SendWelcome, "handle")),
    { container: undefined },
  );
  globalContainer.registerInstance(Mailer, new Mailer());
  await app.newEvent("user.created", { name: "carlos" });
  await clock.settled();
  expect(mailers.map(({ sent }) => sent)).toEqual([["bienvenido CARLOS"]]);
});

const sendWelcome = useCase("send_welcome", { on: "user.created", schema: User }, handledBy(SendWelcome, "handle"));

test("UseCase.handle runs it without an app, on the global container, and disposes of what was made", async () => {
  expect(await sendWelcome.handle({ name: "carlos" }, { id: "1" })).toEqual([
    { name: "email.sent", payload: { to: "CARLOS" } },
  ]);
  await expect(sendWelcome.handle({ name: "nobody" }, { logger: silent })).rejects.toThrow("nobody");
  expect(mailers.map(({ sent, disposed }) => [sent.length, disposed])).toEqual([
    [1, 1],
    [0, 1],
  ]);
});

test("one use case serves apps with different containers", async () => {
  const apps = await Promise.all(
    [1, 2].map(() =>
      started((app, container) => {
        container.registerSingleton(Mailer);
        app.use(sendWelcome);
      }),
    ),
  );
  for (const { app } of apps) await app.newEvent("user.created", { name: "carlos" });
  for (const { clock } of apps) await clock.settled();
  expect(apps.map(({ container }) => container.resolve(Mailer).sent.length)).toEqual([1, 1]);
  expect(mailers).toHaveLength(2);
});

test("it can be called by hand, with any context, and disposes of what it made", async () => {
  const context = { id: "1" } as EventContext;
  const handler = handledBy(SendWelcome, "handle");
  expect(await handler({ name: "carlos" }, context)).toEqual({ name: "email.sent", payload: { to: "carlos" } });
  await expect(handler({ name: "NOBODY" }, context)).rejects.toThrow("nobody");
  expect(mailers.map(({ disposed }) => disposed)).toEqual([1, 1]);
});

test("within a handler it shares the delivery's container", async () => {
  const contexts: unknown[] = [];
  class Inner {
    handle(_payload: unknown, context: EventContext): void {
      contexts.push(context.id);
    }
  }
  const inner = new Inner();
  class Outer {
    handle(payload: unknown, context: EventContext): void {
      handledBy(Inner, "handle")(payload, context);
    }
  }
  const { app, clock } = await started((app, container) => {
    container.registerInstance(Inner, inner);
    inner.handle = (_payload, context) => void contexts.push(`the app's ${context.id}`);
    app.onEvent("a", { useCase: "outer" }, handledBy(Outer, "handle"));
  });
  const { id } = await app.newEvent("a", 1);
  await clock.settled();
  expect(contexts).toEqual([`the app's ${id}`]);
});

test("a substitute without the method fails the delivery with what is wrong", async () => {
  const { app, clock } = await started((app, container) => {
    container.registerInstance(SendWelcome, {} as SendWelcome);
    app.onEvent("a", { useCase: "welcome", schema: User, retries: 0 }, handledBy(SendWelcome, "handle"));
  });
  await app.newEvent("a", { name: "carlos" });
  await clock.settled();
  const { items } = await app.deadLetters("welcome").list();
  expect(items[0]?.error?.message).toContain('in the place of "SendWelcome" has no method "handle"');
});

test("what is no method of a class is told at the call", () => {
  const call = (type: unknown, method: string) =>
    thrownBy(() => handledBy(type as typeof SendWelcome, method as "handle"));
  for (const wrong of [undefined, null, "SendWelcome", {}]) {
    expect(call(wrong, "handle")).toMatchObject({ code: "invalid-option", details: { option: "handledBy" } });
  }
  for (const [type, method] of [
    [SendWelcome, "hanlde"],
    [SendWelcome, "greeting"],
    [SendWelcome, "arrow"],
    [() => {}, "handle"],
  ] as const) {
    expect(call(type, method)).toMatchObject({
      code: "invalid-option",
      message: expect.stringContaining(`has no method "${method}"`),
    });
  }
});

test("handledBy is checked by the compiler", () => {
  const handler = handledBy(SendWelcome, "handle");
  expectTypeOf(handler).parameter(0).toEqualTypeOf<{ name: string }>();
  expectTypeOf(handler).parameter(1).toEqualTypeOf<EventContext>();
  // @ts-expect-error no member of the class
  expect(() => handledBy(SendWelcome, "hanlde")).toThrow();
  // @ts-expect-error no method
  expect(() => handledBy(SendWelcome, "greeting")).toThrow();
  // @ts-expect-error it returns no events
  handledBy(SendWelcome, "count");
  // @ts-expect-error its payload is not what the schema puts out
  useCase("a", { on: "a", schema: z.object({ age: z.number() }) }, handledBy(SendWelcome, "handle"));
  // @ts-expect-error without a schema the payload is unknown
  useCase("a", { on: "a" }, handledBy(SendWelcome, "handle"));
});
