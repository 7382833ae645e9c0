import { defineEvents, PapaApp, typeOnly } from "@papa-events/core";
import { type ContextOf, decoratorsFor, EventContext, type PayloadOf } from "@papa-events/core/decorators";
import { memory, virtualClock } from "@papa-events/transport-memory";
import { injectable } from "tsyringe";
import { expect, expectTypeOf, onTestFinished, test } from "vitest";
import { z } from "zod";
import { silent, thrownBy } from "./support.ts";

const events = defineEvents({
  "user.created": z.object({ name: z.string(), age: z.number().default(18) }),
  "user.deleted": typeOnly<{ id: string }>(),
  "email.sent": z.object({ to: z.string() }),
});
type Events = typeof events;

const { onEvent } = decoratorsFor(events);

test("the catalogue's schemas check the payloads, also of an app that has no catalogue", async () => {
  const seen: unknown[] = [];
  @injectable()
  class UserLog {
    constructor(readonly context: EventContext) {}

    @onEvent("user.*", { useCase: "user_log" })
    log(user: PayloadOf<Events, "user.*">, context: ContextOf<Events, "user.*">) {
      seen.push(user, context === this.context);
      if (context.eventName === "user.created")
        return { name: "email.sent", payload: { to: context.payload.name } } as const;
      return undefined;
    }

    @onEvent(["email.sent"], { useCase: "sent" })
    sent(email: PayloadOf<Events, "email.sent">): void {
      seen.push(email);
    }

    @onEvent("#", { useCase: "audit", schema: z.unknown() })
    audit(_payload: unknown): void {}
  }
  const clock = virtualClock();
  const app = new PapaApp({ transport: memory({ clock }), logger: silent }).register(UserLog);
  onTestFinished(() => app.stop());
  await app.start();
  await app.newEvent("user.created", { name: "carlos" });
  await app.newEvent("user.created", { age: "ten" });
  await app.newEvent("user.renamed", {});
  await clock.settled();
  expect(seen).toEqual([{ name: "carlos", age: 18 }, true, { to: "carlos" }]);
  const { items } = await app.deadLetters("user_log").list({ order: "oldest" });
  expect(items.map(({ reason }) => reason)).toEqual(["invalid-payload", "unknown-event"]);
  expect(await app.deadLetters("audit").count()).toBe(0);
});

test("PayloadOf and ContextOf are what a pattern matches", () => {
  expectTypeOf<PayloadOf<Events, "user.created">>().toEqualTypeOf<{ name: string; age: number }>();
  expectTypeOf<PayloadOf<Events, "user.*">>().toEqualTypeOf<{ name: string; age: number } | { id: string }>();
  expectTypeOf<PayloadOf<Events, readonly ["user.deleted", "email.*"]>>().toEqualTypeOf<
    { id: string } | { to: string }
  >();
  expectTypeOf<ContextOf<Events, "user.deleted">>().toEqualTypeOf<EventContext<"user.deleted", { id: string }>>();
  expectTypeOf<ContextOf<Events, "#">["eventName"]>().toEqualTypeOf<keyof Events>();
  const narrows = (context: ContextOf<Events, "user.*">) => {
    if (context.eventName === "user.deleted") expectTypeOf(context.payload).toEqualTypeOf<{ id: string }>();
    else expectTypeOf(context.payload).toEqualTypeOf<{ name: string; age: number }>();
  };
  expectTypeOf(narrows).returns.toBeVoid();
  // Nothing can be assigned to it but an error in words.
  type Words = "no event of the catalogue matches the pattern 'usr.*'";
  expectTypeOf<PayloadOf<Events, "usr.*">>().toEqualTypeOf<Words>();
  expectTypeOf<ContextOf<Events, "usr.*">>().toEqualTypeOf<Words>();
});

test("methods are checked by the catalogue at compile time", () => {
  class Users {
    // @ts-expect-error the payload is a union
    @onEvent("user.*", { useCase: "1" })
    oneOfTwo(_user: PayloadOf<Events, "user.created">): void {}

    // @ts-expect-error the context is a union
    @onEvent("user.*", { useCase: "2" })
    contextOfOne(_user: unknown, _context: ContextOf<Events, "user.deleted">): void {}

    // @ts-expect-error no event matches
    @onEvent("usr.*", { useCase: "3" })
    noEvent(_user: unknown): void {}

    // @ts-expect-error not in the catalogue
    @onEvent("user.created", { useCase: "4" })
    async returnsUnknownEvent() {
      return [{ name: "email.lost" as const, payload: { to: "a" } }];
    }

    // @ts-expect-error the payload of another event
    @onEvent("user.created", { useCase: "5" })
    async returnsWrongPayload() {
      return [{ name: "email.sent" as const, payload: { id: "a" } }];
    }

    // @ts-expect-error the schema sets the catalogue aside
    @onEvent("user.created", { useCase: "6", schema: z.object({ id: z.number() }) })
    ownSchema(_user: PayloadOf<Events, "user.created">): void {}

    @onEvent(["user.created", "email.*"], { useCase: "8", schema: z.object({ id: z.number() }) })
    right(_payload: { id: number }, _context: EventContext) {
      return { name: "user.created" as const, payload: { name: "the age is the schema's to add" } };
    }

    @onEvent("user.created", { useCase: "9" })
    wider(_user: { name: string }, _context: EventContext): void {}
  }
  // @ts-expect-error an option that does not exist
  expect(() => onEvent("user.created", { useCase: "7", retry: 3 })).toThrow();
  return Users;
});

test("what the compiler refuses the program refuses too, where it would do harm", () => {
  const wrong = (patterns: unknown, options: unknown) => thrownBy(() => onEvent(patterns as "#", options as never));
  expect(wrong("user..created", { useCase: "u" })).toMatchObject({ code: "invalid-pattern" });
  expect(wrong("#", {})).toMatchObject({ code: "invalid-use-case" });
  expect(thrownBy(() => decoratorsFor(undefined as unknown as Events))).toMatchObject({ code: "invalid-option" });
});
