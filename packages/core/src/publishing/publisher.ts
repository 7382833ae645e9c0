import Denque from "denque";
import { isPapaError, PapaError } from "../errors/papa-error.ts";
import type { Logger } from "../logging/logger.ts";
import type { CancelTimer, Clock } from "../transport/clock.ts";
import { type EncodedEvent, sizeOf } from "../transport/event.ts";
import type { Connection, Unconfirmed } from "../transport/transport.ts";
import { EventGroup, EventOfGroup, type Outstanding, type Published, SingleEvent } from "./outstanding.ts";
import { RefusedNames } from "./refused-names.ts";

/** How exactly a deadline is kept while the broker refuses events: each look goes through all that wait. */
const MIN_EXPIRY_MS = 20;

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
 * ids, what a lost connection left unconfirmed (P2) and what the broker refuses for now, which holds up nothing else (H8).
 */
export class Publisher {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #logger: Logger;
  readonly #onProblem: (problem: string | undefined) => void;
  readonly #queue = new Denque<Outstanding>();
  readonly #refused: RefusedNames;
  /** The batches of the calls under way. */
  readonly #inFlight: (readonly Outstanding[])[] = [];
  /** How many of them send again what was refused. */
  #asking = 0;
  /** What has last been reported. */
  #problem: string | undefined;
  #connected = true;
  #flushPlanned = false;
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
    this.#refused = new RefusedNames({ clock: options.clock, onDue: () => this.#flush() });
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
    if (!connected) return;
    this.#sendFirst(this.#refused.release());
    this.#reportProblem();
    this.#flush();
  }

  /** Resolves when nothing is unconfirmed any more. */
  async idle(): Promise<void> {
    if (this.#isIdle) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Rejects what is still unconfirmed, and all that may yet come, such as from a schema that takes its time. */
  close(error: Error): void {
    this.#closed = error;
    this.#expiry?.();
    for (const batch of [...this.#inFlight, this.#refused.release()])
      for (const outstanding of batch) outstanding.settle(error);
    for (let outstanding = this.#queue.shift(); outstanding !== undefined; outstanding = this.#queue.shift())
      outstanding.settle(error);
    this.#becomeIdle();
  }

  get #isIdle(): boolean {
    return this.#queue.isEmpty() && this.#inFlight.length === 0 && !this.#refused.any;
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
    while (this.#connected && this.#closed === undefined && this.#inFlight.length < callsInFlight) {
      // Half of the calls are for the others at least.
      const again = this.#asking < Math.max(1, callsInFlight / 2) ? this.#nextRefused() : [];
      const batch = again.length > 0 ? again : this.#nextBatch();
      if (batch.length === 0) return;
      void this.#send(batch, again.length > 0);
    }
  }

  #nextRefused(): readonly Outstanding[] {
    const { eventsPerCall, bytesPerCall } = this.#connection.capabilities.publishing;
    return this.#refused.any ? this.#refused.take(eventsPerCall, bytesPerCall) : [];
  }

  #nextBatch(): Outstanding[] {
    const { eventsPerCall, bytesPerCall } = this.#connection.capabilities.publishing;
    const batch: Outstanding[] = [];
    let bytes = 0;
    while (batch.length < eventsPerCall) {
      const next = this.#queue.peekFront();
      if (next === undefined) break;
      if (this.#refused.any && this.#refused.holds(next)) {
        this.#queue.shift();
        continue;
      }
      bytes += sizeOf(next.event);
      if (bytes > bytesPerCall && batch.length > 0) break;
      this.#queue.shift();
      if (!next.settled) batch.push(next);
    }
    return batch;
  }

  /** @param again whether it sends again what was refused */
  async #send(batch: readonly Outstanding[], again: boolean): Promise<void> {
    this.#inFlight.push(batch);
    if (again) this.#asking += 1;
    const unconfirmed = await this.#call(batch);
    if (again) this.#asking -= 1;
    this.#inFlight.splice(this.#inFlight.indexOf(batch), 1);
    if (unconfirmed.length === 0) {
      for (const outstanding of batch) outstanding.settle(undefined);
      if (this.#refused.any) this.#noteAnswer(batch, [], again);
    } else {
      this.#settlePart(batch, unconfirmed, again);
    }
    this.#flush();
    if (this.#isIdle) this.#becomeIdle();
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

  #settlePart(batch: readonly Outstanding[], unconfirmed: readonly Unconfirmed[], again: boolean): void {
    const errors = new Map(unconfirmed.map(({ index, error }) => [index, error]));
    const answered: Outstanding[] = [];
    const refused: Outstanding[] = [];
    for (const [index, outstanding] of batch.entries()) {
      const error = errors.get(index);
      if (error !== undefined && isPapaError(error) && error.retryable) {
        outstanding.refusal = error;
        refused.push(outstanding);
      } else {
        outstanding.settle(error);
        answered.push(outstanding);
      }
    }
    if (this.#connected) this.#noteAnswer(answered, refused, again);
    else this.#sendFirst(refused);
  }

  /** A broker that refuses while it can be reached (a full queue, no leader) is not hammered with what it refuses. */
  #noteAnswer(taken: readonly Outstanding[], refused: readonly Outstanding[], again: boolean): void {
    this.#sendFirst(this.#refused.answered(taken, refused, again));
    this.#reportProblem();
  }

  /** To the front in their order: they have waited longest. */
  #sendFirst(events: readonly Outstanding[]): void {
    for (const outstanding of events.toReversed()) this.#queue.unshift(outstanding);
  }

  #reportProblem(): void {
    const { problem } = this.#refused;
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem !== undefined) this.#logger.debug({ problem }, "Some events are refused; they are sent again.");
    this.#onProblem(problem);
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
    this.#refused.outstanding().forEach(check);
    this.#refused.forgetSettled();
    this.#reportProblem();
    for (let front = this.#queue.peekFront(); front !== undefined; front = this.#queue.peekFront()) {
      check(front);
      if (!front.settled) break;
      this.#queue.shift();
    }
    const wait = this.#refused.any ? Math.max(earliest - now, MIN_EXPIRY_MS) : earliest - now;
    this.#expiry =
      earliest === Number.POSITIVE_INFINITY ? undefined : this.#clock.after(wait, () => this.#expire(), true);
    if (this.#isIdle) this.#becomeIdle();
  }

  #timedOut({ event, refusal }: Outstanding): PapaError {
    const refused = refusal === undefined ? "confirm it" : `take it (${refusal.message.replace(/\.$/, "")})`;
    const state = this.#connected ? `the broker did not ${refused}` : "the connection to the broker is down";
    const message = `"${event.name}" was not published within ${this.#timeout} ms: ${state}. Publishing it again with id "${event.id}" is safe.`;
    const details = { eventName: event.name, id: event.id, timeout: this.#timeout };
    return new PapaError("publish-timeout", message, details, { cause: refusal, retryable: true });
  }

  #becomeIdle(): void {
    const waiting = this.#onIdle;
    if (waiting.length === 0) return;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }
}
