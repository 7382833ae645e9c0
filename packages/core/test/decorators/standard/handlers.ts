// Handlers under standard decorators, which vitest does not transform: standard.test.ts compiles this file.
import { defineEvents } from "@papa-events/core";
import {
  type ContextOf,
  decoratorsFor,
  type EventContext,
  onEvent,
  type PayloadOf,
} from "@papa-events/core/decorators";
import { z } from "zod";

const User = z.object({ name: z.string() });
const events = defineEvents({ "user.created": User, "user.deleted": z.object({ id: z.string() }) });
const typed = decoratorsFor(events);

export class Journal {
  readonly lines: string[] = [];
}

/** Calls the method twice. */
function twice<M extends (...args: never) => void>(method: M, _context: ClassMethodDecoratorContext): M {
  return function (this: unknown, ...args: never) {
    method.apply(this, args);
    method.apply(this, args);
  } as M;
}

export abstract class Base {
  readonly journal: Journal;

  constructor(journal: Journal) {
    this.journal = journal;
  }

  @onEvent("user.created", { useCase: "inherited" })
  inherited(_user: unknown, { useCase }: EventContext): void {
    this.journal.lines.push(`${useCase}: Base.inherited`);
  }

  @onEvent("user.created", { useCase: "overridden" })
  overridden(): void {
    this.journal.lines.push("Base.overridden");
  }
}

export class Users extends Base {
  override overridden(): void {
    this.journal.lines.push("Users.overridden");
  }

  @onEvent("user.created", { useCase: "named", schema: User })
  async named(user: z.output<typeof User>, { attempt }: EventContext): Promise<void> {
    this.journal.lines.push(`named: ${user.name} ${attempt}`);
  }

  @typed.onEvent("user.*", { useCase: "typed" })
  typed(_user: PayloadOf<typeof events, "user.*">, context: ContextOf<typeof events, "user.*">): void {
    this.journal.lines.push(
      `typed: ${context.eventName === "user.created" ? context.payload.name : context.payload.id}`,
    );
  }

  @onEvent("user.deleted", { useCase: "twice" })
  @twice
  twice(): void {
    this.journal.lines.push("twice");
  }
}

/** Classes that cannot be declared, or that the compiler refuses. */
export const refused = {
  private: () =>
    class {
      // @ts-expect-error the library cannot call it
      @onEvent("a", { useCase: "u" })
      #handle(): void {}

      handle(): void {
        this.#handle();
      }
    },
  static: () =>
    class {
      // @ts-expect-error the container makes instances
      @onEvent("a", { useCase: "u" })
      static handle(): void {}

      notStatic(): void {}
    },
  field: () =>
    class {
      // @ts-expect-error no method
      @onEvent("a", { useCase: "u" })
      handle = () => {};
    },
  getter: () =>
    class {
      // @ts-expect-error no method
      @onEvent("a", { useCase: "u" })
      get handle(): () => void {
        return () => {};
      }
    },
  accessor: () =>
    class {
      // @ts-expect-error no method
      @onEvent("a", { useCase: "u" })
      accessor handle = () => {};
    },
  class: () => {
    // @ts-expect-error no method
    @onEvent("a", { useCase: "u" })
    class Handlers {}
    return Handlers;
  },
};

/** What only the compiler refuses. */
export class Unsound {
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

  // @ts-expect-error the payload is a union
  @typed.onEvent("user.*", { useCase: "4" })
  oneOfTwo(_user: PayloadOf<typeof events, "user.created">): void {}

  // @ts-expect-error no event matches
  @typed.onEvent("usr.*", { useCase: "5" })
  noEvent(): void {}

  // @ts-expect-error not in the catalogue
  @typed.onEvent("user.*", { useCase: "6" })
  async returnsUnknownEvent() {
    return [{ name: "email.sent" as const, payload: {} }];
  }
}
