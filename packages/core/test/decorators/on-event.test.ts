import { PapaApp } from "@papa-events/core";
import { type EventContext, onEvent } from "@papa-events/core/decorators";
import { memory } from "@papa-events/transport-memory";
import { container as globalContainer } from "tsyringe";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { started, thrownBy } from "./support.ts";

/** Which use case got which event, by which method, after these events. */
async function handled(
  classes: readonly (abstract new () => object)[],
  names: readonly string[],
  log: string[],
): Promise<readonly string[]> {
  log.length = 0;
  const { app, clock } = await started((app) => app.register(...classes));
  for (const name of names) await app.newEvent(name, null);
  await clock.settled();
  await app.stop();
  return [...log].sort();
}

test("all methods with @onEvent of all registered classes handle, several patterns and several use cases on one", async () => {
  const log: string[] = [];
  class Users {
    @onEvent(["user.created", "user.*"], { useCase: "log" })
    @onEvent("#", { useCase: "audit" })
    log(_payload: unknown, { useCase, eventName }: EventContext): void {
      log.push(`${useCase} ${eventName}`);
    }

    notAHandler(): void {
      log.push("not a handler");
    }
  }
  const key = Symbol("key");
  class Orders {
    @onEvent("order.paid", { useCase: "bill" })
    [key](_payload: unknown, { useCase, eventName }: EventContext): void {
      log.push(`${useCase} ${eventName}`);
    }
  }
  expect(await handled([Users, Orders], ["user.created", "order.paid"], log)).toEqual([
    "audit order.paid",
    "audit user.created",
    "bill order.paid",
    "log user.created",
  ]);
});

test("H5 the options are those of a use case: the schema's output is what the method gets", async () => {
  const User = z.object({ name: z.string().toUpperCase() });
  const seen: string[] = [];
  class Users {
    @onEvent("user.created", { useCase: "users", schema: User })
    handle(user: z.output<typeof User>): void {
      seen.push(user.name);
    }
  }
  const { app, clock } = await started((app) => app.register(Users));
  await app.newEvent("user.created", { name: "carlos" });
  await app.newEvent("user.created", { name: 1 });
  await clock.settled();
  expect(seen).toEqual(["CARLOS"]);
  expect(await app.deadLetters("users").count()).toBe(1);
});

test("H4 what a method returns is published", async () => {
  class Welcome {
    @onEvent("user.created", { useCase: "welcome" })
    async handle() {
      return [{ name: "email.sent", payload: { to: "hola@test.com" } }];
    }
  }
  const sent: unknown[] = [];
  const { app, clock } = await started((app) =>
    app.register(Welcome).onEvent("email.sent", { useCase: "sent" }, (payload) => void sent.push(payload)),
  );
  await app.newEvent("user.created", {});
  await clock.settled();
  expect(sent).toEqual([{ to: "hola@test.com" }]);
});

test("a class inherits its parent's handlers; an override stays one, under its own @onEvent if it has one", async () => {
  const log: string[] = [];
  abstract class Base {
    protected readonly tag: string = "base";

    @onEvent("a", { useCase: "inherited" })
    inherited(_payload: unknown, { useCase }: EventContext): void {
      log.push(`${useCase}: Base.inherited of ${this.tag}`);
    }

    @onEvent("a", { useCase: "overridden" })
    overridden(_payload: unknown, { useCase }: EventContext): void {
      log.push(`${useCase}: Base.overridden`);
    }

    @onEvent("a", { useCase: "redeclared" })
    redeclared(): void {
      log.push("Base.redeclared");
    }
  }
  class Derived extends Base {
    protected override readonly tag: string = "derived";

    override overridden(payload: unknown, context: EventContext): void {
      super.overridden(payload, context);
      log.push("Derived.overridden");
    }

    @onEvent("b", { useCase: "redeclared_for_b" })
    override redeclared(): void {
      log.push("Derived.redeclared");
    }
  }
  class Leaf extends Derived {}
  expect(await handled([Derived], ["a", "b"], log)).toEqual([
    "Derived.overridden",
    "Derived.redeclared",
    "inherited: Base.inherited of derived",
    "overridden: Base.overridden",
  ]);
  expect(await handled([Leaf], ["b"], log)).toEqual(["Derived.redeclared"]);
});

test("siblings share no declaration: each is called on its own class", async () => {
  const log: string[] = [];
  abstract class Template {
    abstract readonly name: string;

    say(): void {
      log.push(this.name);
    }
  }
  class One extends Template {
    readonly name = "one";

    @onEvent("a", { useCase: "one" })
    override say(): void {
      super.say();
    }
  }
  class Two extends Template {
    readonly name = "two";

    @onEvent("a", { useCase: "two" })
    override say(): void {
      super.say();
    }
  }
  expect(await handled([One, Two], ["a"], log)).toEqual(["one", "two"]);
});

const app = (container?: object) => new PapaApp({ transport: memory(), container });

test("two methods, or two classes, with one use case are a duplicate", () => {
  class Twice {
    @onEvent("a", { useCase: "same" })
    one(): void {}
    @onEvent("b", { useCase: "same" })
    other(): void {}
  }
  class Base {
    @onEvent("a", { useCase: "inherited" })
    handle(): void {}
  }
  class Derived extends Base {}
  expect(thrownBy(() => app().register(Twice))).toMatchObject({
    code: "duplicate-use-case",
    details: { useCase: "same" },
  });
  expect(thrownBy(() => app().register(Base, Derived))).toMatchObject({
    code: "duplicate-use-case",
    details: { useCase: "inherited" },
  });
});

test("what is registered has to be a class with @onEvent", () => {
  class Bare {
    handle(): void {}
  }
  const register = (it: unknown) => thrownBy(() => app().register(it as typeof Bare));
  expect(register(Bare)).toMatchObject({
    code: "invalid-option",
    message: expect.stringContaining('the class "Bare" has no method with @onEvent'),
  });
  for (const wrong of [new Bare(), null, undefined, "Bare", () => {}]) {
    expect(register(wrong)).toMatchObject({ code: "invalid-option", details: { option: "register" } });
  }
});

test("after the start it is too late to register", async () => {
  class Users {
    @onEvent("user.created", { useCase: "users" })
    handle(): void {}
  }
  const { app } = await started(() => {});
  expect(thrownBy(() => app.register(Users))).toMatchObject({ code: "already-started" });
});

test("wrong options are told where @onEvent stands, as useCase() tells them", () => {
  const wrong = (patterns: unknown, options: unknown) => thrownBy(() => onEvent(patterns as string, options as never));
  expect(wrong("a", undefined)).toMatchObject({ code: "invalid-option", details: { option: "@onEvent" } });
  expect(wrong("a", "users")).toMatchObject({ code: "invalid-option" });
  expect(wrong("a", { useCase: "u", retry: 3 })).toMatchObject({
    code: "invalid-option",
    message: expect.stringContaining('unknown option "retry"; the nearest known one is "retries"'),
  });
  expect(wrong("a", { useCase: "u", retries: -1 })).toMatchObject({
    details: { option: 'useCase "u": retries' },
  });
  expect(wrong("a", {})).toMatchObject({ code: "invalid-use-case" });
  expect(wrong("a", { useCase: "u.dlq" })).toMatchObject({ code: "invalid-use-case" });
  expect(wrong("a, b", { useCase: "u" })).toMatchObject({ code: "invalid-pattern" });
  expect(wrong([], { useCase: "u" })).toMatchObject({ code: "invalid-pattern" });
});

test("@onEvent belongs on a method of instances (legacy decorators)", () => {
  // As a program without types would, and as TypeScript's legacy decorators call it.
  const decorate = onEvent("a", { useCase: "u" }) as (...decorated: unknown[]) => void;
  const on = (...decorated: unknown[]) => thrownBy(() => decorate(...decorated));
  class Place {
    static create(): void {}
    get value(): number {
      return 1;
    }
    handle(): void {}
  }
  const { prototype } = Place;
  const of = (owner: object, name: string) => Object.getOwnPropertyDescriptor(owner, name);
  expect(on(prototype, "field", undefined)).toMatchObject({
    code: "invalid-option",
    details: { option: '@onEvent of "u"', problem: 'it belongs on a method, and "field" is a field' },
  });
  const problem = (text: string) => ({ code: "invalid-option", details: { problem: text } });
  expect(on(prototype, "value", of(prototype, "value"))).toMatchObject(
    problem('it belongs on a method, and "value" is an accessor'),
  );
  expect(on(Place)).toMatchObject(problem("it belongs on a method, and this is a class"));
  expect(on(prototype, "handle", 0)).toMatchObject(
    problem('it belongs on a method, and this is a parameter of "handle"'),
  );
  expect(on(Place, undefined, 0)).toMatchObject(
    problem("it belongs on a method, and this is a parameter of the constructor"),
  );
  expect(on(Place, "create", of(Place, "create"))).toMatchObject(
    problem('"create" is static, and a handler is a method of the instance that the container makes'),
  );
});

test("@onEvent is checked by the compiler", () => {
  const User = z.object({ name: z.string() });
  const decorated = () => {
    class Users {
      // @ts-expect-error without a schema the payload is unknown
      @onEvent("user.created", { useCase: "1" })
      unchecked(_user: { name: string }): void {}

      // @ts-expect-error the schema puts out something else
      @onEvent("user.created", { useCase: "2", schema: User })
      otherPayload(_user: { age: number }): void {}

      // @ts-expect-error a number is not an event
      @onEvent("user.created", { useCase: "3" })
      returnsNumber(): number {
        return 1;
      }

      // @ts-expect-error an event has a payload
      @onEvent("user.created", { useCase: "4" })
      async noPayload() {
        return [{ name: "email.sent" }];
      }

      // @ts-expect-error the context is no string
      @onEvent("user.created", { useCase: "5" })
      otherContext(_user: unknown, _context: string): void {}

      // @ts-expect-error nothing is handed over as a third argument
      @onEvent("user.created", { useCase: "6" })
      threeParameters(_user: unknown, _context: EventContext, _third: string): void {}

      // @ts-expect-error the container makes instances
      @onEvent("user.created", { useCase: "7" })
      static onTheClass(): void {}

      // @ts-expect-error a field is no method
      @onEvent("user.created", { useCase: "8" })
      field = 1;

      @onEvent("user.created", { useCase: "9", schema: User })
      wider(_user: object, _context: Pick<EventContext, "id">): void {}

      @onEvent(["user.created", "user.deleted"], { useCase: "10", schema: User })
      protected async onlyForTheLibrary(user: { name: string }) {
        return { name: "email.sent", payload: user };
      }
    }
    return Users;
  };
  expect(thrownBy(decorated)).toMatchObject({ code: "invalid-option" });
});

test("the container has to be a tsyringe container", async () => {
  const of = (container: unknown) => thrownBy(() => app(container as object));
  for (const wrong of [null, {}, "container", 3, { resolve: () => {} }]) {
    expect(of(wrong)).toMatchObject({ code: "invalid-option", details: { option: "PapaApp: container" } });
  }
  expect(() => app(globalContainer)).not.toThrow();

  // One that looks like it, and has not what tsyringe has, is found out at the start.
  class Users {
    @onEvent("user.created", { useCase: "users" })
    handle(): void {}
  }
  const transport = memory();
  const connect = vi.spyOn(transport, "connect");
  const container = { resolve: () => {}, createChildContainer: () => {} };
  await expect(new PapaApp({ transport, container }).register(Users).start()).rejects.toMatchObject({
    code: "invalid-option",
    details: { option: "PapaApp: container" },
  });
  const connection = await connect.mock.results[0]?.value;
  await expect(connection?.declarations.declare([]), "the connection is closed").rejects.toMatchObject({
    code: "connection-failed",
  });
});
