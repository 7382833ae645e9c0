import type { EventContext } from "@papa-events/core";
import { pause } from "./until.ts";

/** One call of a handler. */
export interface Call {
  readonly name: string;
  readonly id: string;
  readonly attempt: number;
  readonly payload: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** When it began, on the monotonic clock. */
  readonly at: number;
}

/** What a handler does with its call; whatever it returns or throws is the handler's. */
export type Act = (call: Call, context: EventContext) => unknown;

/** Writes down the calls of a handler. */
export class Calls {
  readonly list: Call[] = [];
  /** How many are under way, and the most there have been. */
  running = 0;
  most = 0;
  readonly #act: Act | undefined;

  constructor(act?: Act) {
    this.#act = act;
  }

  /** To be given to `onEvent`. */
  readonly handler = async (payload: unknown, context: EventContext): Promise<undefined> => {
    const { eventName: name, id, attempt, headers } = context;
    const call = { name, id, attempt, payload, headers, at: performance.now() };
    this.list.push(call);
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    try {
      // The result is the test's own matter, so that tests of wrong results need no cast of their own.
      return (await this.#act?.(call, context)) as undefined;
    } finally {
      this.running -= 1;
    }
  };

  get count(): number {
    return this.list.length;
  }

  get ids(): string[] {
    return this.list.map(({ id }) => id);
  }

  get names(): string[] {
    return this.list.map(({ name }) => name);
  }

  get attempts(): number[] {
    return this.list.map(({ attempt }) => attempt);
  }

  /** How many different events there have been. */
  get distinct(): number {
    return new Set(this.ids).size;
  }
}

/** A handler that always fails. */
export function failing(): Calls {
  return new Calls(() => {
    throw new Error("this handler always fails");
  });
}

/** A handler that takes its time. */
export function taking(milliseconds: number): Calls {
  return new Calls(() => pause(milliseconds));
}

/** A handler that waits to be let go. */
export class Held extends Calls {
  readonly letGo: () => void;

  constructor(result?: unknown) {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    super(async () => {
      await held;
      return result;
    });
    this.letGo = letGo;
  }
}
