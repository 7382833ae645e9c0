import {
  type Delivery,
  type EncodedEvent,
  readAttempt,
  type Settled,
  type Settlement,
} from "@papa-events/core/transport";
import type { Subscriber } from "./subscriber.ts";

const STORED: Promise<Settled> = Promise.resolve("stored");
const LOST: Promise<Settled> = Promise.resolve("lost");

/**
 * An event in a queue, and, while a subscriber has it, its delivery: one object for both, since there is one for
 * each event. What comes back unsettled comes back as a new message, so that a late settlement of the old one finds
 * nothing.
 */
export class Message implements Delivery {
  readonly event: EncodedEvent;
  /** Its position in the queue's order, kept when it comes back. */
  readonly sequence: number;
  /** How often a connection was lost while it was handed out (T6). */
  readonly redeliveries: number;
  /** Whether it repeats one that was handled (`MemoryOptions.duplicate`), and so is not repeated again. */
  readonly duplicate: boolean;
  /** Where its subscriber keeps it. */
  index = -1;
  #subscriber: Subscriber | undefined = undefined;

  constructor(event: EncodedEvent, sequence: number, redeliveries: number, duplicate = false) {
    this.event = event;
    this.sequence = sequence;
    this.redeliveries = redeliveries;
    this.duplicate = duplicate;
  }

  get attempt(): number {
    return readAttempt(this.event.headers);
  }

  get lost(): boolean {
    return this.#subscriber?.has(this) !== true;
  }

  handTo(subscriber: Subscriber, index: number): void {
    this.#subscriber = subscriber;
    this.index = index;
  }

  settle(settlement: Settlement): Promise<Settled> {
    return this.#subscriber?.settle(this, settlement) === true ? STORED : LOST;
  }
}
