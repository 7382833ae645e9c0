import type { Logger } from "@papa-events/core/transport";
import { isQueueMissing, isReply } from "../client/errors.ts";
import type { Target } from "../client/options.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { keepLease } from "../scripts/keep-lease.ts";
import { Delays } from "../waiting/delays.ts";
import { GROUP, RELEASED_CONSUMER, type UseCaseKeys } from "../wire/keys.ts";
import type { Claim } from "./claim.ts";

/** The longest time between two looks. It bounds how soon a living consumer takes over what another released. */
const MAX_INTERVAL_MS = 1_000;
/** How many due events one look puts back. */
const MAX_DUE_AT_ONCE = 128;

/** The consumer whose lease is kept. */
export interface LeaseHolder {
  readonly claim: Claim;
  /** How many more entries it would take over. */
  readonly room: number;
  deliver(claim: Claim, entry: string, fields: readonly Buffer[], crashes: number): void;
  /** Called when the reply that may have taken over entries is lost. */
  onReplyLost(): void;
  onLeaseEnded(claim: Claim): void;
}

export interface LeaseKeeperOptions {
  readonly useCase: string;
  readonly target: Target;
  readonly keys: UseCaseKeys;
  readonly connection: ReconnectingConnection;
  readonly logger: Logger;
}

/** Renews a consumer's lease regularly, puts due events back into the queue, and takes over from dead consumers. */
export class LeaseKeeper {
  readonly #holder: LeaseHolder;
  readonly #options: LeaseKeeperOptions;
  readonly #interval: number;
  readonly #delays = new Delays(() => void this.exclusively(() => this.#look()));
  /** Whether the present claim's lease has yet to be started. */
  #starting = true;
  #ended = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(holder: LeaseHolder, options: LeaseKeeperOptions) {
    this.#holder = holder;
    this.#options = options;
    this.#interval = Math.min(MAX_INTERVAL_MS, options.target.lease / 3);
  }

  /** Whether the lease of the present claim has been started. */
  get started(): boolean {
    return !this.#starting;
  }

  /** Starts the lease. @throws PapaError */
  async start(): Promise<void> {
    await this.exclusively(() => this.#run());
  }

  /** Starts the lease of a new claim at once. */
  startNew(): void {
    this.#starting = true;
    this.lookWithin(0);
  }

  /** Looks again in so many milliseconds, if not sooner. */
  lookWithin(delay: number): void {
    this.#delays.lookWithin(Math.min(delay, this.#interval));
  }

  /** Runs `act` while no look is under way. */
  exclusively<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(act);
    this.#turn = result.catch(() => {});
    return result;
  }

  end(): void {
    this.#ended = true;
    this.#delays.end();
  }

  async #look(): Promise<void> {
    if (this.#ended) return;
    const { connection, logger, useCase } = this.#options;
    try {
      if (connection.up) await this.#run();
    } catch (error) {
      if (!isReply(error)) this.#holder.onReplyLost();
      else if (!isQueueMissing(error))
        logger.warn({ useCase, error }, "The lease could not be renewed, and due events were not put back.");
    }
    this.lookWithin(this.#interval);
  }

  async #run(): Promise<void> {
    const { claim, room } = this.#holder;
    const { connection, keys, target } = this.#options;
    const starting = this.#starting;
    const [ended, nextDue, ...taken] = (await connection.runForBytes(
      keepLease,
      [keys.queue, keys.leases, keys.due, keys.waiting],
      [GROUP, claim.consumer, target.lease, starting ? 1 : 0, room, RELEASED_CONSUMER, MAX_DUE_AT_ONCE],
    )) as Reply;
    if (starting && claim === this.#holder.claim) this.#starting = false;
    for (let at = 0; at + 2 < taken.length; at += 3)
      this.#holder.deliver(claim, String(taken[at]), taken[at + 2] as Buffer[], taken[at + 1] as number);
    if (ended === 1) this.#holder.onLeaseEnded(claim);
    this.lookWithin(nextDue === -1 ? this.#interval : nextDue);
  }
}

/** As the script says. */
type Reply = readonly [ended: number, nextDue: number, ...taken: readonly (Buffer | number | Buffer[])[]];
