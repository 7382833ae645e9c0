import { PapaError } from "../errors/papa-error.ts";
import type { EncodedEvent } from "../transport/event.ts";

/** What publishing an event resolves to. */
export interface Published {
  /** The event's id: `ctx.id` of its handlers. */
  readonly id: string;
}

type Resolve<T> = (value: T) => void;
type Reject = (error: Error) => void;

/** An event on its way, from the call to its confirmation. */
export abstract class Outstanding {
  readonly event: EncodedEvent;
  /** When it has waited long enough, by the monotonic clock. */
  readonly deadline: number;
  settled = false;
  /** What the broker has last refused it with, for now. */
  refusal: Error | undefined = undefined;

  constructor(event: EncodedEvent, deadline: number) {
    this.event = event;
    this.deadline = deadline;
  }

  /** Confirmed, or rejected with `error`; only the first settlement counts. */
  settle(error: Error | undefined): void {
    if (this.settled) return;
    this.settled = true;
    this.notify(error);
  }

  /** Notifies whoever waits for it. */
  protected abstract notify(error: Error | undefined): void;
}

/** An event that is waited for by itself. */
export class SingleEvent extends Outstanding {
  readonly #resolve: Resolve<Published>;
  readonly #reject: Reject;

  constructor(event: EncodedEvent, deadline: number, resolve: Resolve<Published>, reject: Reject) {
    super(event, deadline);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  protected override notify(error: Error | undefined): void {
    if (error === undefined) this.#resolve({ id: this.event.id });
    else this.#reject(error);
  }
}

/** An event that is waited for with others. */
export class EventOfGroup extends Outstanding {
  readonly #group: EventGroup;

  constructor(event: EncodedEvent, deadline: number, group: EventGroup) {
    super(event, deadline);
    this.#group = group;
  }

  protected override notify(error: Error | undefined): void {
    this.#group.settled(this.event, error);
  }
}

/** Events that are waited for together. */
export class EventGroup {
  readonly #events: readonly EncodedEvent[];
  readonly #resolve: Resolve<Published[]>;
  readonly #reject: Reject;
  readonly #errors = new Map<EncodedEvent, Error>();
  #left: number;

  constructor(events: readonly EncodedEvent[], resolve: Resolve<Published[]>, reject: Reject) {
    this.#events = events;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#left = events.length;
  }

  settled(event: EncodedEvent, error: Error | undefined): void {
    if (error !== undefined) this.#errors.set(event, error);
    this.#left -= 1;
    if (this.#left > 0) return;
    if (this.#errors.size === 0) this.#resolve(this.#events.map(({ id }) => ({ id })));
    else this.#reject(this.#incomplete());
  }

  #incomplete(): PapaError {
    const failed = this.#events.flatMap((event, index) => {
      const error = this.#errors.get(event);
      return error === undefined ? [] : [{ index, id: event.id, name: event.name, error }];
    });
    const total = this.#events.length;
    const message = `Of ${total} events ${failed.length} were not confirmed; details.failed lists them. The first: ${failed[0]?.error.message}`;
    return new PapaError(
      "publish-incomplete",
      message,
      { confirmed: total - failed.length, failed },
      { cause: failed[0]?.error, retryable: true },
    );
  }
}
