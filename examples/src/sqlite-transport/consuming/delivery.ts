import {
  type Delivery,
  type ReceivedEvent,
  readAttempt,
  type Settled,
  type Settlement,
} from "@papa-events/core/transport";
import type { Owned } from "./settlement.ts";
import type { Subscriber } from "./subscriber.ts";

/** An event that this instance has taken. */
export class SqliteDelivery implements Delivery, Owned {
  readonly event: ReceivedEvent;
  readonly seq: number;
  readonly owner: string;
  readonly redeliveries: number;
  readonly #subscriber: Subscriber;

  constructor(event: ReceivedEvent, seq: number, owner: string, redeliveries: number, subscriber: Subscriber) {
    this.event = event;
    this.seq = seq;
    this.owner = owner;
    this.redeliveries = redeliveries;
    this.#subscriber = subscriber;
  }

  get useCase(): string {
    return this.#subscriber.useCase;
  }

  get attempt(): number {
    return readAttempt(this.event.headers);
  }

  get lost(): boolean {
    return !this.#subscriber.has(this);
  }

  settle(settlement: Settlement): Promise<Settled> {
    return this.#subscriber.settle(this, settlement);
  }
}
