import type { Logger } from "@papa-events/core/transport";
import { isBug, isQueueMissing, isReply } from "../client/errors.ts";
import type { Target } from "../client/options.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { sleep, within } from "../client/time-limit.ts";
import { adopt } from "../scripts/adopt.ts";
import { keepLease } from "../scripts/keep-lease.ts";
import { Delays } from "../waiting/delays.ts";
import { GROUP, RELEASED_CONSUMER, type UseCaseKeys } from "../wire/keys.ts";
import type { ReceivedEntry } from "./delivery.ts";
import type { LeaseRenewal, RenewedLease } from "./lease-renewal.ts";

/** How many due events one look puts back. */
const MAX_DUE_AT_ONCE = 128;
/** How many bytes of events one look takes over, and one more event. */
const MAX_TAKE_OVER_BYTES = 8 * 1_048_576;
/** The pause before another try to start a lease whose connection was lost. */
const START_BACKOFF_MS = 50;
/** How many entries one script adopts. */
const MAX_ADOPTED_AT_ONCE = 1_000;
/** The pause before another try to adopt what an ended lease leaves. */
const ADOPT_BACKOFF_MS = 500;

/** The consumer whose lease is kept. */
export interface LeaseHolder {
  readonly consumer: string;
  /** How many more entries it would take over, and how many bytes. */
  readonly room: number;
  readonly roomBytes: number;
  deliver(entry: ReceivedEntry): void;
  /** Called when the reply that may have taken over entries is lost. */
  onReplyLost(): void;
  onLeaseEnded(consumer: string): Promise<void>;
}

export interface LeaseKeeperOptions {
  readonly useCase: string;
  /** The id of this instance's declaration. */
  readonly declaration: string;
  readonly target: Target;
  readonly keys: UseCaseKeys;
  /** A connection on which nothing takes long: a lease that is renewed too late has ended. */
  readonly control: ReconnectingConnection;
  readonly renewal: LeaseRenewal;
  readonly logger: Logger;
  /** Called with what keeps the use case from being looked after, and with `undefined` when that is over. */
  readonly onLeaseProblem: (problem: string | undefined) => void;
}

/**
 * Looks after one use case when there is reason to: puts due events back into the queue, and takes over from dead consumers.
 * Between two looks its consumer's lease is renewed with those of the other use cases.
 */
export class LeaseKeeper implements RenewedLease {
  readonly #holder: LeaseHolder;
  readonly #options: LeaseKeeperOptions;
  readonly #delays = new Delays(() => void this.exclusively(() => this.#look()));
  #started = false;
  #ended = false;
  #turn: Promise<unknown> = Promise.resolve();
  /** Whether there was more to take over than there was room. */
  #more = false;

  constructor(holder: LeaseHolder, options: LeaseKeeperOptions) {
    this.#holder = holder;
    this.#options = options;
  }

  get consumer(): string {
    return this.#holder.consumer;
  }

  get keys(): UseCaseKeys {
    return this.#options.keys;
  }

  /** Starts the lease. @throws PapaError */
  async start(): Promise<void> {
    const { control, target, renewal } = this.#options;
    const begun = performance.now();
    while (!this.#started) {
      // After a lost connection this one may be back a little later than the others.
      await within(control.whenUp(), target.connectTimeout, "the connection for leases is lost");
      try {
        await this.exclusively(() => this.#run());
      } catch (error) {
        if (isReply(error) || control.closed || performance.now() - begun > target.connectTimeout) throw error;
        this.#holder.onReplyLost();
        await sleep(START_BACKOFF_MS);
      }
    }
    if (!this.#ended) renewal.add(this);
  }

  /** Looks in so many milliseconds, if not sooner. */
  lookWithin(delay: number): void {
    this.#delays.lookWithin(delay);
  }

  /** To be called when an event begins to wait: one that is due soon is looked for in time. */
  onWaiting(delay: number): void {
    if (delay <= this.#options.renewal.soon) this.lookWithin(delay);
  }

  /** To be called when there is room again: takes over what there was no room for. */
  onRoom(): void {
    if (!this.#more) return;
    this.#more = false;
    this.lookWithin(0);
  }

  /** Runs `act` while no look is under way. */
  exclusively<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(act);
    this.#turn = result.catch(() => {});
    return result;
  }

  /**
   * Starts the lease of a new consumer, which adopts those of `entries` that nobody has taken over from the old one. Tries
   * until it succeeds. Resolves to those adopted; to none when all has ended meanwhile.
   */
  async adopt(from: string, to: string, entries: readonly string[]): Promise<ReadonlySet<string>> {
    const adopted = new Set<string>();
    let at = 0;
    // At least once, for the lease.
    do {
      const next = at + MAX_ADOPTED_AT_ONCE;
      for (const entry of await this.#adopt(from, to, entries.slice(at, next))) adopted.add(entry);
      at = next;
    } while (at < entries.length);
    return adopted;
  }

  async #adopt(from: string, to: string, entries: readonly string[]): Promise<readonly string[]> {
    const { control, keys, target, logger, useCase } = this.#options;
    while (!this.#ended && !control.closed) {
      try {
        await control.whenUp();
        const args = [GROUP, from, to, target.lease, ...entries];
        const adopted = (await control.run(adopt, [keys.queue, keys.leases], args)) as number[];
        return entries.filter((_, index) => adopted[index] === 1);
      } catch (error) {
        if (isReply(error))
          logger.warn({ useCase, err: error }, "A new lease could not be started. It is tried again.");
        if (!control.closed) await sleep(ADOPT_BACKOFF_MS);
      }
    }
    return [];
  }

  end(): void {
    this.#ended = true;
    this.#options.renewal.remove(this);
    this.#delays.end();
  }

  async #look(): Promise<void> {
    if (this.#ended) return;
    const { control, logger, useCase, renewal, onLeaseProblem } = this.#options;
    try {
      if (control.up) await this.#run();
    } catch (error) {
      if (!isReply(error)) this.#holder.onReplyLost();
      if (isBug(error) || (isReply(error) && !isQueueMissing(error))) {
        logger.warn(
          { useCase, err: error },
          "Due events were not put back, and nothing was taken over. It is tried again.",
        );
        onLeaseProblem(`due events cannot be put back: ${error.message}`);
      }
      this.lookWithin(renewal.interval);
    }
  }

  async #run(): Promise<void> {
    const { consumer, room, roomBytes } = this.#holder;
    const { control, keys, target, declaration, renewal, onLeaseProblem } = this.#options;
    const bytes = Math.min(MAX_TAKE_OVER_BYTES, roomBytes);
    const [ended, nextDue, more, ...taken] = (await control.runForBytes(
      keepLease,
      [keys.queue, keys.leases, keys.due, keys.waiting],
      [
        GROUP,
        consumer,
        declaration,
        target.lease,
        this.#started ? 0 : 1,
        this.#started && renewal.wasAway ? 1 : 0,
        room,
        bytes,
        RELEASED_CONSUMER,
        MAX_DUE_AT_ONCE,
      ],
    )) as Reply;
    this.#started = true;
    this.#more = more === 1;
    onLeaseProblem(undefined);
    for (let at = 0; at + 2 < taken.length; at += 3) {
      const [entry, redeliveries, fields] = [taken[at], taken[at + 1], taken[at + 2]];
      this.#holder.deliver({
        consumer,
        entry: String(entry),
        fields: fields as Buffer[],
        redeliveries: redeliveries as number,
      });
    }
    if (ended === 1) void this.#holder.onLeaseEnded(consumer);
    if (nextDue !== -1) this.onWaiting(nextDue);
    if (this.#more && this.#holder.room > 0) this.onRoom();
  }
}

/** As the script says. */
type Reply = readonly [ended: number, nextDue: number, more: number, ...taken: readonly (Buffer | number | Buffer[])[]];
