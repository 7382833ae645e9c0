import Denque from "denque";
import { runOutside } from "../context/current-event.ts";
import type { Delivery, Subscription } from "../transport/delivery.ts";
import { sizeOf } from "../transport/event.ts";
import type { Connection } from "../transport/transport.ts";
import { type ContextScope, DeliveryContext } from "./delivery-context.ts";
import { type Handling, handleDelivery } from "./handle-delivery.ts";
import type { HeldBytes } from "./held-bytes.ts";
import type { Quarantine } from "./quarantine.ts";
import { ReadAhead } from "./read-ahead.ts";
import type { RunningHandlers } from "./running-handlers.ts";
import { release } from "./settler.ts";

/** After how many unexplained returns an event is a suspect: processes are killed every day, so the first says nothing (T6). */
const SUSPECT_REDELIVERIES = 2;

export interface WorkerPoolOptions extends ContextScope {
  /** The id of this instance's declaration of the use case. */
  readonly declaration: string;
  readonly concurrency: number;
  readonly handling: Handling;
  readonly running: RunningHandlers;
  readonly held: HeldBytes;
  /** Where suspects go; `undefined` where the broker cannot record trials. */
  readonly quarantine: Quarantine | undefined;
}

/**
 * The workers of one use case: at most `concurrency` handler calls at once (H2); the rest of what the transport reads
 * ahead waits here.
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #waiting = new Denque<Delivery>();
  /** All that have been needed so far. */
  readonly #slots: Slot[] = [];
  readonly #freeSlots: Slot[] = [];
  readonly #readAhead: ReadAhead;
  #subscription: Subscription | undefined;
  #stopping = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#readAhead = new ReadAhead(options.concurrency, options.held.readAhead, options.clock);
  }

  /** Begins to consume. */
  async start(connection: Connection): Promise<void> {
    const { useCase, declaration } = this.#options;
    const { limit: readAhead } = this.#readAhead;
    const subscription = await connection.subscribe(useCase, { readAhead, declaration }, (delivery) =>
      this.#take(delivery),
    );
    this.#subscription = subscription;
    if (this.#readAhead.limit !== readAhead) subscription.readAhead(this.#readAhead.limit);
  }

  /** Takes nothing new and gives back what was not started (L2). */
  async stop(): Promise<void> {
    this.#stopping = true;
    const stopped = this.#subscription?.stop();
    // The last first, so that each goes back before those that were behind it.
    for (let delivery = this.#waiting.pop(); delivery !== undefined; delivery = this.#waiting.pop()) release(delivery);
    await stopped;
  }

  /** Resolves when every outcome is stored. */
  settled(): Promise<void> {
    return this.#options.handling.settler.idle();
  }

  /** Lets nothing count any more that running handlers do, aborts their signals, and gives how many there are. */
  abandon(reason: Error): number {
    this.#options.handling.settler.close();
    let running = 0;
    for (const { context } of this.#slots) {
      if (context === undefined) continue;
      running += 1;
      context.abandoned = true;
      context.abort(reason);
    }
    return running;
  }

  /** Starts workers for what waits, as many as may run. */
  resume(): void {
    while (this.#mayStart && !this.#waiting.isEmpty()) this.#startWorker();
  }

  /** Handles one delivery that is not the workers' to take. */
  async #handleAlone(delivery: Delivery, context: DeliveryContext): Promise<void> {
    const slot = this.#takeSlot();
    this.#options.running.started();
    slot.context = context;
    await handleDelivery(delivery, context, this.#options.handling);
    this.#giveBack(slot);
  }

  get #mayStart(): boolean {
    const { concurrency, running, held } = this.#options;
    return running.open && held.hasRoom && this.#slots.length - this.#freeSlots.length < concurrency;
  }

  #take(delivery: Delivery): void {
    if (this.#stopping) {
      release(delivery);
      return;
    }
    const size = sizeOf(delivery.event);
    if (this.#readAhead.received(size)) this.#subscription?.readAhead(this.#readAhead.limit);
    const { quarantine } = this.#options;
    if (delivery.redeliveries >= SUSPECT_REDELIVERIES && quarantine !== undefined) {
      const context = new DeliveryContext(delivery, this.#options);
      quarantine.add({ delivery, context, handle: (tried) => this.#handleAlone(tried, context) });
      return;
    }
    this.#waiting.push(delivery);
    if (this.#mayStart) this.#startWorker();
  }

  #startWorker(): void {
    const slot = this.#takeSlot();
    this.#options.running.started();
    runOutside(() => void this.#work(slot));
  }

  /** One worker: handles what waits, until there is nothing or it may not go on. */
  async #work(slot: Slot): Promise<void> {
    const { running, held, handling } = this.#options;
    // Out of the transport's stack, which must not wait for what handlers do before they first await.
    await undefined;
    while (running.open && held.hasRoom) {
      const delivery = this.#waiting.shift();
      if (delivery === undefined) break;
      const begun = this.#readAhead.begins();
      const context = new DeliveryContext(delivery, this.#options);
      slot.context = context;
      await handleDelivery(delivery, context, handling);
      if (this.#readAhead.ended(begun)) this.#subscription?.readAhead(this.#readAhead.limit);
    }
    this.#giveBack(slot);
  }

  #takeSlot(): Slot {
    let slot = this.#freeSlots.pop();
    if (slot === undefined) this.#slots.push((slot = { context: undefined }));
    return slot;
  }

  #giveBack(slot: Slot): void {
    slot.context = undefined;
    this.#freeSlots.push(slot);
    this.#options.running.ended();
  }
}

/**
 * Room for one handler call. Slots are kept for the next: a `Set` of those that come and go would, when it makes itself
 * a new table, tie the dead ones in the old heap to the young ones, and with them everything that they handled.
 */
interface Slot {
  context: DeliveryContext | undefined;
}
