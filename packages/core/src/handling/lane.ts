import Denque from "denque";
import type { Delivery, Subscription } from "../transport/delivery.ts";
import type { Connection } from "../transport/transport.ts";
import { type ContextScope, DeliveryContext } from "./delivery-context.ts";
import { Outcome } from "./outcome.ts";
import type { Processor } from "./processor.ts";
import { ReadAhead } from "./read-ahead.ts";
import { release, type Settler } from "./settler.ts";

export interface LaneOptions extends ContextScope {
  readonly concurrency: number;
  readonly processor: Processor;
  readonly settler: Settler;
}

/**
 * Where the deliveries of one use case are handled: at most `concurrency` at once (H2), the rest of what the
 * transport reads ahead waits here.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #waiting = new Denque<Delivery>();
  /** All that have been needed so far. */
  readonly #places: Place[] = [];
  readonly #freePlaces: Place[] = [];
  readonly #readAhead: ReadAhead;
  #subscription: Subscription | undefined;
  #stopping = false;
  #onIdle: (() => void) | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#readAhead = new ReadAhead(options.concurrency, options.clock);
  }

  /** Begins to consume. */
  async start(connection: Connection): Promise<void> {
    const subscription = await connection.subscribe(this.#options.useCase, this.#readAhead.limit, (delivery) =>
      this.#take(delivery),
    );
    this.#subscription = subscription;
    subscription.readAhead(this.#readAhead.limit);
  }

  /** Takes nothing new and gives back what was not started (L2). */
  async stop(): Promise<void> {
    this.#stopping = true;
    const stopped = this.#subscription?.stop();
    // The last first, so that each goes back before those that were behind it.
    for (let delivery = this.#waiting.pop(); delivery !== undefined; delivery = this.#waiting.pop()) release(delivery);
    await stopped;
  }

  /** Resolves when no handler runs and every outcome is stored. */
  async idle(): Promise<void> {
    if (this.#busy > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await this.#options.settler.idle();
  }

  /** Aborts the signals of the handlers that run, and tells how many they are. */
  abort(reason: Error): number {
    for (const place of this.#places) place.context?.abort(reason);
    return this.#busy;
  }

  get #busy(): number {
    return this.#places.length - this.#freePlaces.length;
  }

  #newPlace(): Place {
    const place: Place = { context: undefined };
    this.#places.push(place);
    return place;
  }

  #take(delivery: Delivery): void {
    if (this.#stopping) release(delivery);
    else if (this.#busy < this.#options.concurrency) void this.#work(delivery);
    else this.#waiting.push(delivery);
  }

  /** One place: handles a delivery, then those that wait, until there is none. */
  async #work(first: Delivery): Promise<void> {
    const { processor, settler } = this.#options;
    const place = this.#freePlaces.pop() ?? this.#newPlace();
    // Out of the transport's stack, which must not wait for what handlers do before they first await.
    await undefined;
    for (let delivery: Delivery | undefined = first; delivery !== undefined; delivery = this.#waiting.shift()) {
      const begun = this.#readAhead.begins();
      const context = new DeliveryContext(delivery, this.#options);
      place.context = context;
      let outcome: Outcome;
      try {
        const finished = processor.finish(context, await processor.begin(delivery, context));
        outcome = finished instanceof Outcome ? finished : await finished;
      } catch (error) {
        outcome = processor.fail(delivery, context, error);
      }
      settler.settle(delivery, context, outcome);
      if (context.running !== undefined) await context.running;
      if (this.#readAhead.ended(begun)) this.#subscription?.readAhead(this.#readAhead.limit);
    }
    place.context = undefined;
    this.#freePlaces.push(place);
    if (this.#busy === 0) this.#onIdle?.();
  }
}

/**
 * Room for one handler call. Places are kept for the next: a `Set` of those that come and go would, when it makes itself
 * a new table, tie the dead ones in the old heap to the young ones, and with them everything that they handled.
 */
interface Place {
  context: DeliveryContext | undefined;
}
