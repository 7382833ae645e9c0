import Denque from "denque";
import { runOutside } from "../context/current-event.ts";
import type { Delivery, Subscription } from "../transport/delivery.ts";
import { sizeOf } from "../transport/event.ts";
import type { Connection } from "../transport/transport.ts";
import { type ContextScope, DeliveryContext, redeliveriesOf } from "./delivery-context.ts";
import { type Handling, handleDeliveries } from "./handle-delivery.ts";
import type { HeldBytes } from "./held-bytes.ts";
import type { Quarantine } from "./quarantine.ts";
import { ReadAhead } from "./read-ahead.ts";
import type { RunningHandlers } from "./running-handlers.ts";
import { release } from "./settler.ts";
import { Alone, Worker } from "./worker.ts";

/** After how many unexplained returns an event is a suspect: processes are killed every day, so the first says nothing (T6). */
const SUSPECT_REDELIVERIES = 2;
/** How many workers are started before it is seen whether more are of use. */
const STARTED_AT_ONCE = 16;
/** For how many turns of the microtask queue none of them may have got on before more are started. */
const TURNS_WITHOUT_PROGRESS = 4;

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
  readonly #workers: Worker[] = [];
  readonly #freeWorkers: Worker[] = [];
  /** Suspects that are handled alone. */
  readonly #alone = new Set<Alone>();
  /** Suspects that wait until one more handler may be called. */
  #onRoom: (() => void)[] = [];
  readonly #readAhead: ReadAhead;
  /** How many deliveries workers have taken so far. */
  #taken = 0;
  /** Whether workers are being started. */
  #starting = false;
  #connection: Connection | undefined;
  #subscription: Subscription | undefined;
  /** Whether it takes events; `false` before its start, while it is paused and after its stop. */
  #consuming = false;
  #stopped = false;
  /** Its start, pauses and stop, one after the other. */
  #changing: Promise<void> = Promise.resolve();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#readAhead = new ReadAhead(options.concurrency, options.held.readAhead, options.clock);
  }

  /** Begins to consume, or, where the use case is paused, waits for {@link consume}. */
  async start(connection: Connection, paused: boolean): Promise<void> {
    this.#connection = connection;
    if (!paused) await this.consume();
  }

  /** Consumes, from its start on or again after a pause. Idempotent. */
  consume(): Promise<void> {
    return this.#change(() => this.#subscribe());
  }

  /** Starts nothing new, and gives back what was not started: all instances together pause so. Handlers that run end. Idempotent. */
  pause(): Promise<void> {
    return this.#change(() => this.#unsubscribe());
  }

  /** As {@link pause}, for good (L2). */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#consuming = false;
    return this.#change(async () => {
      try {
        await this.#unsubscribe();
      } catch (error) {
        // The connection is closed soon; what runs is waited for all the same.
        this.#options.logger.warn({ err: error, useCase: this.#options.useCase }, "Consuming could not be ended.");
        this.#giveBack();
      }
    });
  }

  #change(change: () => Promise<void>): Promise<void> {
    const changed = this.#changing.then(change);
    this.#changing = changed.catch(() => {});
    return changed;
  }

  async #subscribe(): Promise<void> {
    if (this.#connection === undefined || this.#stopped) return;
    if (this.#subscription !== undefined) {
      // A pause that failed may have left it so.
      this.#consuming = true;
      this.resume();
      return;
    }
    const { useCase, declaration } = this.#options;
    const { limit: readAhead } = this.#readAhead;
    this.#consuming = true;
    try {
      const subscription = await this.#connection.subscribe(useCase, { readAhead, declaration }, (delivery) =>
        this.#take(delivery),
      );
      this.#subscription = subscription;
      if (this.#readAhead.limit !== readAhead) subscription.readAhead(this.#readAhead.limit);
    } catch (error) {
      this.#consuming = false;
      throw error;
    }
  }

  async #unsubscribe(): Promise<void> {
    this.#consuming = false;
    // First: what goes back earlier would be handed to this instance again.
    await this.#subscription?.stop();
    this.#subscription = undefined;
    this.#giveBack();
  }

  #giveBack(): void {
    // The last first, so that each goes back before those that were behind it.
    for (let delivery = this.#waiting.pop(); delivery !== undefined; delivery = this.#waiting.pop()) release(delivery);
    this.#options.quarantine?.giveBackOf(this.#options.useCase);
  }

  /** To be called when the connection is back. */
  reconnected(): void {
    this.#options.handling.settler.offerAgain();
  }

  /** Resolves when every outcome is stored. */
  settled(): Promise<void> {
    return this.#options.handling.settler.idle();
  }

  /** Lets nothing count any more that running handlers do, aborts their signals, and gives how many there are. */
  abandon(reason: Error): number {
    this.#options.handling.settler.close();
    let running = 0;
    for (const { context } of [...this.#workers, ...this.#alone]) {
      if (context === undefined) continue;
      running += 1;
      context.abandoned = true;
      context.abort(reason);
    }
    return running;
  }

  /** Starts workers for what waits, as many as are of use and may run. */
  resume(): void {
    if (this.#starting || this.#waiting.isEmpty() || !this.#mayStart) return;
    this.#starting = true;
    runOutside(() => void this.#startWorkers());
  }

  get #mayStart(): boolean {
    const { running, held } = this.#options;
    return this.#consuming && running.open && held.hasRoom && this.#hasFreeSlot;
  }

  /** Whether one more handler may be called (H2). */
  get #hasFreeSlot(): boolean {
    return this.#workers.length - this.#freeWorkers.length + this.#alone.size < this.#options.concurrency;
  }

  #room(): Promise<void> | undefined {
    return this.#hasFreeSlot ? undefined : new Promise((resolve) => this.#onRoom.push(resolve));
  }

  /** To be called when a handler has ended. */
  #slotIsFree(): void {
    for (const resolve of this.#onRoom.splice(0)) resolve();
    this.resume();
  }

  #take(delivery: Delivery): void {
    const size = sizeOf(delivery.event);
    if (this.#readAhead.received(size)) this.#subscription?.readAhead(this.#readAhead.limit);
    if (redeliveriesOf(delivery) >= SUSPECT_REDELIVERIES && this.#tries(delivery)) return;
    this.#waiting.push(delivery);
    this.resume();
  }

  /** Has a suspect tried. One that is only to be forwarded is not: whoever accepts it would take the record for a death. */
  #tries(delivery: Delivery): boolean {
    const { quarantine, handling } = this.#options;
    if (quarantine === undefined) return false;
    const context = new DeliveryContext(delivery, this.#options);
    if (!handling.verdicts.accepts(context.eventName)) return false;
    const handle = (tried: Delivery) => this.#handleAlone(tried, context);
    quarantine.add({ delivery, context, handle, wanted: () => this.#consuming, room: () => this.#room() });
    return true;
  }

  /**
   * A few at a time: where handlers are quick, a few workers go through what a read has brought before the others would have begun,
   * and starting two hundred for it costs as much as handling it.
   */
  async #startWorkers(): Promise<void> {
    // Out of the transport's stack, which must not wait for what handlers do before they first await.
    await undefined;
    for (let started = 1; this.#mayStart && !this.#waiting.isEmpty(); started += 1) {
      this.#options.running.started();
      void handleDeliveries(this.#freeWorkers.pop() ?? this.#newWorker(), this.#options.handling);
      if (started % STARTED_AT_ONCE === 0) await this.#untilNoProgress();
    }
    this.#starting = false;
  }

  async #untilNoProgress(): Promise<void> {
    let taken = this.#taken;
    for (let turns = 0; turns < TURNS_WITHOUT_PROGRESS && !this.#waiting.isEmpty(); turns += 1) {
      await undefined;
      if (this.#taken !== taken) turns = 0;
      taken = this.#taken;
    }
  }

  #newWorker(): Worker {
    const worker = new Worker({
      scope: this.#options,
      readAhead: this.#readAhead,
      next: () => this.#next(),
      onFree: () => {
        this.#freeWorkers.push(worker);
        this.#options.running.ended();
        this.#slotIsFree();
      },
      onReadAhead: () => this.#subscription?.readAhead(this.#readAhead.limit),
    });
    this.#workers.push(worker);
    return worker;
  }

  /** What a worker takes next, if it may go on. */
  #next(): Delivery | undefined {
    const { running, held } = this.#options;
    if (!this.#consuming || !running.open || !held.hasRoom) return undefined;
    this.#taken += 1;
    return this.#waiting.shift();
  }

  /** Handles one delivery that is not for just any worker to take. */
  async #handleAlone(delivery: Delivery, context: DeliveryContext): Promise<void> {
    const { running, handling } = this.#options;
    const alone = new Alone(delivery, context);
    this.#alone.add(alone);
    running.started();
    await handleDeliveries(alone, handling);
    this.#alone.delete(alone);
    running.ended();
    this.#slotIsFree();
  }
}
