import { type Delivery, type EncodedEvent, readAttempt, type Settlement } from "@papa-events/core/transport";
import type { Subscriber } from "./subscriber.ts";

const STORED = Promise.resolve();

/**
 * An event in a queue, and, while a subscriber has it, its delivery: one object for both, since there is one for
 * each event. What comes back unsettled comes back as a new message, so that a late settlement of the old one finds
 * nothing.
 */
export class Message implements Delivery {
  readonly event: EncodedEvent;
  /** Its place in the queue's order, kept when it comes back. */
  readonly sequence: number;
  /** How often a connection was lost while it was handed out (T6). */
  readonly crashes: number;
  /** Whether it repeats one that was handled (`MemoryOptions.duplicate`), and so is not repeated again. */
  readonly duplicate: boolean;
  /** Where its subscriber keeps it. */
  place = -1;
  #subscriber: Subscriber | undefined = undefined;

  constructor(event: EncodedEvent, sequence: number, crashes: number, duplicate = false) {
    this.event = event;
    this.sequence = sequence;
    this.crashes = crashes;
    this.duplicate = duplicate;
  }

  get attempt(): number {
    return readAttempt(this.event.headers);
  }

  handTo(subscriber: Subscriber, place: number): void {
    this.#subscriber = subscriber;
    this.place = place;
  }

  settle(settlement: Settlement): Promise<void> {
    this.#subscriber?.settle(this, settlement);
    return STORED;
  }
}
