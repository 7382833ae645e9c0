import Denque from "denque";
import { isPapaError, PapaError } from "../errors/papa-error.ts";
import type { Logger } from "../logging/logger.ts";
import type { CancelTimer, Clock } from "../transport/clock.ts";
import type { EncodedEvent } from "../transport/event.ts";
import type { Connection, Unconfirmed } from "../transport/transport.ts";
import { EventGroup, EventOfGroup, type Outstanding, type Published, SingleEvent } from "./outstanding.ts";

/** The pause before sending again what the broker refused for now; doubled up to the longest. */
const INITIAL_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2_000;

export interface PublisherOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  /** How long an event may wait for its confirmation, in milliseconds (P2). */
  readonly timeout: number;
  readonly logger: Logger;
  /** Called when the broker refuses events, and with `undefined` when it takes them again. */
  readonly onProblem: (problem: string | undefined) => void;
}

/**
 * Sends events so that each is confirmed or rejected (P1), once for all transports: gathers those of one
 * turn into one call, bounds what is in flight (P3), waits while the connection is down, and sends again, with the same
 * ids, what a lost connection left unconfirmed (P2).
 */
export class Publisher {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #logger: Logger;
  readonly #onProblem: (problem: string | undefined) => void;
  readonly #queue = new Denque<Outstanding>();
  /** The batches of the calls under way. */
  readonly #inFlight: (readonly Outstanding[])[] = [];
  #connected = true;
  #flushPlanned = false;
  #pause = 0;
  #endPause: CancelTimer | undefined;
  #expiry: CancelTimer | undefined;
  #onIdle: (() => void)[] = [];
  /** What is published from then on is rejected with. */
  #closed: Error | undefined;
  /** The time of day and the monotonic time of the burst being gathered, read once for all events of it. */
  #now = 0;
  #elapsed = 0;

  constructor(options: PublisherOptions) {
    this.#connection = options.connection;
    this.#clock = options.clock;
    this.#timeout = options.timeout;
    this.#logger = options.logger;
    this.#onProblem = options.onProblem;
  }

  /** @throws PapaError `publish-timeout`, or what the broker refused it with */
  publish(event: EncodedEvent): Promise<Published> {
    return new Promise((resolve, reject) => {
      this.#enqueue(new SingleEvent(event, this.#deadline(), resolve, reject));
    });
  }

  /** Resolves when all are confirmed. @throws PapaError `publish-incomplete` when not all are */
  publishAll(events: readonly EncodedEvent[]): Promise<Published[]> {
    if (events.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const group = new EventGroup(events, resolve, reject);
      for (const event of events) this.#enqueue(new EventOfGroup(event, this.#deadline(), group));
    });
  }

  /** The time of day for an event about to be published; those of one burst share it. */
  now(): number {
    if (!this.#flushPlanned) this.#now = this.#clock.now();
    return this.#now;
  }

  /** To be called when the connection is lost and when it is back. */
  setConnected(connected: boolean): void {
    this.#connected = connected;
    if (connected) this.#flush();
  }

  /** Resolves when nothing is unconfirmed any more. */
  async idle(): Promise<void> {
    if (this.#queue.isEmpty() && this.#inFlight.length === 0) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Rejects what is still unconfirmed, and all that may yet come, such as from a schema that takes its time. */
  close(error: Error): void {
    this.#closed = error;
    this.#expiry?.();
    this.#endPause?.();
    for (const batch of this.#inFlight) for (const outstanding of batch) outstanding.settle(error);
    for (let outstanding = this.#queue.shift(); outstanding !== undefined; outstanding = this.#queue.shift())
      outstanding.settle(error);
    this.#becomeIdle();
  }

  #deadline(): number {
    if (!this.#flushPlanned) this.#elapsed = this.#clock.elapsed();
    return this.#elapsed + this.#timeout;
  }

  #enqueue(outstanding: Outstanding): void {
    if (this.#closed !== undefined) {
      outstanding.settle(this.#closed);
      return;
    }
    this.#queue.push(outstanding);
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    queueMicrotask(() => {
      this.#flushPlanned = false;
      this.#expiry ??= this.#clock.after(this.#timeout, () => this.#expire(), true);
      this.#flush();
    });
  }

  #flush(): void {
    const { callsInFlight } = this.#connection.capabilities.publishing;
    while (
      this.#connected &&
      this.#closed === undefined &&
      this.#endPause === undefined &&
      this.#inFlight.length < callsInFlight &&
      !this.#queue.isEmpty()
    ) {
      const batch = this.#nextBatch();
      if (batch.length > 0) void this.#send(batch);
    }
  }

  #nextBatch(): Outstanding[] {
    const { eventsPerCall, bytesPerCall } = this.#connection.capabilities.publishing;
    const batch: Outstanding[] = [];
    let bytes = 0;
    while (batch.length < eventsPerCall) {
      const next = this.#queue.peekFront();
      if (next === undefined) break;
      bytes += next.event.text?.length ?? next.event.body.length;
      if (bytes > bytesPerCall && batch.length > 0) break;
      this.#queue.shift();
      if (!next.settled) batch.push(next);
    }
    return batch;
  }

  async #send(batch: readonly Outstanding[]): Promise<void> {
    this.#inFlight.push(batch);
    const unconfirmed = await this.#call(batch);
    this.#inFlight.splice(this.#inFlight.indexOf(batch), 1);
    if (unconfirmed.length === 0) {
      if (this.#pause > 0) this.#recovered();
      for (const outstanding of batch) outstanding.settle(undefined);
    } else {
      this.#settlePart(batch, unconfirmed);
    }
    this.#flush();
    if (this.#queue.isEmpty() && this.#inFlight.length === 0) this.#becomeIdle();
  }

  async #call(batch: readonly Outstanding[]): Promise<readonly Unconfirmed[]> {
    try {
      return await this.#connection.publish(batch.map((outstanding) => outstanding.event));
    } catch (thrown) {
      // A transport must not throw here; if one does, no event may hang for it.
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      return batch.map((_, index) => ({ index, error }));
    }
  }

  #settlePart(batch: readonly Outstanding[], unconfirmed: readonly Unconfirmed[]): void {
    const errors = new Map(unconfirmed.map(({ index, error }) => [index, error]));
    const again: Outstanding[] = [];
    for (const [index, outstanding] of batch.entries()) {
      const error = errors.get(index);
      if (error !== undefined && isPapaError(error) && error.retryable && !outstanding.settled) {
        outstanding.refusal = error;
        again.push(outstanding);
      } else {
        outstanding.settle(error);
      }
    }
    // To the front in their order: they have waited longest.
    for (const outstanding of again.reverse()) this.#queue.unshift(outstanding);
    if (again.length > 0 && this.#connected) this.#pauseFor(unconfirmed[0]?.error);
  }

  /** A broker that refuses while it can be reached (full, electing a leader) is not hammered. */
  #pauseFor(error: Error | undefined): void {
    this.#pause = Math.min(Math.max(this.#pause * 2, INITIAL_BACKOFF_MS), MAX_BACKOFF_MS);
    this.#logger.debug({ err: error, pause: this.#pause }, "The broker did not take some events; they are sent again.");
    this.#onProblem(`the broker does not take events: ${error?.message ?? "for no stated reason"}`);
    this.#endPause ??= this.#clock.after(this.#pause * (0.5 + Math.random() / 2), () => {
      this.#endPause = undefined;
      this.#flush();
    });
  }

  #recovered(): void {
    this.#pause = 0;
    this.#onProblem(undefined);
  }

  /** Rejects what has waited too long, and plans the next look. Deadlines grow from front to back of each list. */
  #expire(): void {
    const now = this.#clock.elapsed();
    let earliest = Number.POSITIVE_INFINITY;
    const check = (outstanding: Outstanding) => {
      if (outstanding.settled) return;
      if (outstanding.deadline <= now) outstanding.settle(this.#timedOut(outstanding));
      else earliest = Math.min(earliest, outstanding.deadline);
    };
    for (const batch of this.#inFlight) batch.forEach(check);
    for (let front = this.#queue.peekFront(); front !== undefined; front = this.#queue.peekFront()) {
      check(front);
      if (!front.settled) break;
      this.#queue.shift();
    }
    this.#expiry =
      earliest === Number.POSITIVE_INFINITY ? undefined : this.#clock.after(earliest - now, () => this.#expire(), true);
    if (this.#queue.isEmpty() && this.#inFlight.length === 0) this.#becomeIdle();
  }

  #timedOut({ event, refusal }: Outstanding): PapaError {
    const refused = refusal === undefined ? "confirm it" : `take it (${refusal.message.replace(/\.$/, "")})`;
    const state = this.#connected ? `the broker did not ${refused}` : "the connection to the broker is down";
    const message = `"${event.name}" was not published within ${this.#timeout} ms: ${state}. Publishing it again with id "${event.id}" is safe.`;
    const details = { eventName: event.name, id: event.id, timeout: this.#timeout };
    return new PapaError("publish-timeout", message, details, { cause: refusal, retryable: true });
  }

  #becomeIdle(): void {
    // Nothing waits any more that the broker could refuse.
    if (this.#pause > 0) this.#recovered();
    const waiting = this.#onIdle;
    if (waiting.length === 0) return;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }
}
