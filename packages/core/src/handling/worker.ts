import type { Delivery } from "../transport/delivery.ts";
import { type ContextScope, DeliveryContext } from "./delivery-context.ts";
import type { Deliveries } from "./handle-delivery.ts";
import type { ReadAhead } from "./read-ahead.ts";

export interface WorkerOptions {
  readonly scope: ContextScope;
  readonly readAhead: ReadAhead;
  /** Gives what it is to handle next. */
  readonly next: () => Delivery | undefined;
  /** Called when it was given nothing. */
  readonly onFree: () => void;
  /** Called when the read-ahead has changed. */
  readonly onReadAhead: () => void;
}

/**
 * Room for one handler call. Workers are kept for the next: a `Set` of those that come and go would, when it makes itself
 * a new table, tie the dead ones in the old heap to the young ones, and with them everything that they handled.
 */
export class Worker implements Deliveries {
  /** Of what it handles. */
  context: DeliveryContext | undefined = undefined;
  readonly #options: WorkerOptions;
  readonly #readAhead: ReadAhead;
  #begun = Number.NaN;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#readAhead = options.readAhead;
  }

  next(): Delivery | undefined {
    const delivery = this.#options.next();
    if (delivery === undefined) this.#options.onFree();
    return delivery;
  }

  enter(delivery: Delivery): DeliveryContext {
    this.#begun = this.#readAhead.begins();
    return (this.context = new DeliveryContext(delivery, this.#options.scope));
  }

  ended(): void {
    this.context = undefined;
    if (this.#readAhead.ended(this.#begun)) this.#options.onReadAhead();
  }
}

/** One delivery with a context of its own. */
export class Alone implements Deliveries {
  readonly context: DeliveryContext;
  #delivery: Delivery | undefined;

  constructor(delivery: Delivery, context: DeliveryContext) {
    this.#delivery = delivery;
    this.context = context;
  }

  next(): Delivery | undefined {
    const delivery = this.#delivery;
    this.#delivery = undefined;
    return delivery;
  }

  enter(): DeliveryContext {
    return this.context;
  }

  ended(): void {}
}
