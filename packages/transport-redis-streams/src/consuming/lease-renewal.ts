import type { Logger } from "@papa-events/core/transport";
import { isReply } from "../client/errors.ts";
import type { Target } from "../client/options.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { renewLeases } from "../scripts/renew-leases.ts";
import type { Argument } from "../scripts/script.ts";
import { GROUP, type Keys, type UseCaseKeys } from "../wire/keys.ts";

/** The longest time between two renewals. It bounds how soon a living consumer takes over what another released. */
const MAX_INTERVAL_MS = 1_000;
/** How many leases one script renews. The server serves nobody else meanwhile. */
const MAX_LEASES_PER_SCRIPT = 256;
/** What is due within so many intervals has its own timer. */
const SOON_INTERVALS = 1.5;

/** One use case's part in the renewal. */
export interface RenewedLease {
  readonly consumer: string;
  readonly keys: UseCaseKeys;
  lookWithin(delay: number): void;
}

export interface LeaseRenewalOptions {
  readonly target: Target;
  readonly keys: Keys;
  /** A connection on which nothing takes long: a lease that is renewed too late has ended. */
  readonly control: ReconnectingConnection;
  readonly logger: Logger;
  /** Called with what keeps leases from being renewed, and with `undefined` when that is over. */
  readonly onProblem: (problem: string | undefined) => void;
}

/**
 * Renews the leases of all use cases of an app together: a command for each would be a thousand commands a second where there
 * are a thousand use cases. Where something is to be done, that use case has a look of its own.
 */
export class LeaseRenewal {
  /** How often leases are renewed, in milliseconds. */
  readonly interval: number;
  readonly #options: LeaseRenewalOptions;
  readonly #leases = new Set<RenewedLease>();
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #closed = false;
  #failed = false;
  /** When the renewal began that renewed all leases last, by the monotonic clock. */
  #renewed = performance.now();

  constructor(options: LeaseRenewalOptions) {
    this.#options = options;
    this.interval = Math.min(MAX_INTERVAL_MS, options.target.lease / 4);
  }

  /** Whether leases went on for so long without a renewal that others may have been away as well. */
  get wasAway(): boolean {
    return performance.now() - this.#renewed > this.interval + this.#options.target.lease / 6;
  }

  /** What is due within so many milliseconds needs a timer of its own: the next renewal comes too late for it. */
  get soon(): number {
    return this.interval * SOON_INTERVALS;
  }

  /** Renews a lease that has begun from now on. */
  add(lease: RenewedLease): void {
    if (this.#leases.size === 0) this.#renewed = performance.now();
    this.#leases.add(lease);
    this.#timer ??= setTimeout(() => void this.renew(), this.interval);
  }

  remove(lease: RenewedLease): void {
    this.#leases.delete(lease);
  }

  /** Renews all leases now, and then regularly. */
  async renew(): Promise<void> {
    if (this.#running || this.#closed) return;
    this.#running = true;
    clearTimeout(this.#timer);
    const { control, logger, onProblem } = this.#options;
    try {
      if (control.up) await this.#renewAll();
      if (this.#failed) onProblem(undefined);
      this.#failed = false;
    } catch (error) {
      // A lost connection is reported elsewhere.
      if (isReply(error) && !this.#closed) {
        if (!this.#failed) logger.warn({ err: error }, "The leases could not be renewed. It is tried again.");
        this.#failed = true;
        onProblem(`the leases cannot be renewed: ${error.message}`);
      }
    }
    this.#running = false;
    if (!this.#closed) this.#timer = setTimeout(() => void this.renew(), this.interval);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #renewAll(): Promise<void> {
    const sent = performance.now();
    const all = [...this.#leases];
    const parts: Promise<void>[] = [];
    for (let from = 0; from < all.length; from += MAX_LEASES_PER_SCRIPT)
      parts.push(this.#renewPart(all.slice(from, from + MAX_LEASES_PER_SCRIPT)));
    await Promise.all(parts);
    this.#renewed = sent;
  }

  async #renewPart(leases: readonly RenewedLease[]): Promise<void> {
    const { control, keys: namespace, target } = this.#options;
    const keys = [namespace.clock, namespace.bindings];
    const args: Argument[] = [GROUP, target.lease, this.wasAway ? 1 : 0, this.soon];
    for (const { keys: own, consumer } of leases) {
      keys.push(own.queue, own.leases, own.due);
      args.push(consumer);
    }
    const reply = (await control.run(renewLeases, keys, args)) as number[];
    for (let at = 0; at + 1 < reply.length; at += 2) leases[reply[at] ?? -1]?.lookWithin(reply[at + 1] ?? 0);
  }
}
