import type { Settled } from "@papa-events/core/transport";
import { isQueueMissing, isReply, isTransient } from "../client/errors.ts";
import { sleep } from "../client/time-limit.ts";
import { acknowledge } from "../scripts/acknowledge.ts";
import { GROUP } from "../wire/keys.ts";
import { BatchQueue } from "./batch-queue.ts";
import type { StreamDelivery } from "./delivery.ts";
import type { SettlingOptions } from "./settlement-sender.ts";

/** How many entries one script acknowledges. */
const MAX_COUNT = 512;
const INITIAL_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 5_000;

/** Deliveries that are done, with one outcome for all: a promise for each would cost more than all the rest. */
class DoneBatch {
  readonly deliveries: StreamDelivery[] = [];
  readonly settled: Promise<Settled>;
  resolve: (settled: Settled) => void = () => {};

  constructor() {
    this.settled = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  get empty(): boolean {
    return this.deliveries.length === 0;
  }

  get full(): boolean {
    return this.deliveries.length >= MAX_COUNT;
  }
}

/**
 * Acknowledges deliveries that are done without outputs. Apart from all other settlements, so that what frees the server's
 * memory never waits behind what the server has no memory for (L7).
 */
export class Acknowledger {
  readonly #options: SettlingOptions;
  readonly #queue = new BatchQueue(
    () => new DoneBatch(),
    (batch) => this.#store(batch),
  );
  #closed = false;

  constructor(options: SettlingOptions) {
    this.#options = options;
  }

  /** Resolves to `"stored"` if all that was acknowledged together was this process's. Never rejects. */
  acknowledge(delivery: StreamDelivery): Promise<Settled> {
    const batch = this.#queue.next();
    batch.deliveries.push(delivery);
    return batch.settled;
  }

  /** Resolves when all acknowledgements are stored. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /** Stores nothing more. */
  close(): void {
    this.#closed = true;
  }

  /** Repeats until the server has replied. That is harmless: the first run removes the entries, so a second finds none. */
  async #store(batch: DoneBatch): Promise<void> {
    const { connection, ledger, onSettled, onProblem, logger } = this.#options;
    let settled: Settled = "stored";
    let left: readonly StreamDelivery[] = batch.deliveries;
    let backoff = INITIAL_BACKOFF_MS;
    let refused = false;
    while (left.length > 0 && !this.#closed) {
      try {
        await connection.whenUp();
        const lost = await this.#run(left);
        for (const delivery of left) if (!lost.includes(delivery)) ledger.remove(delivery);
        // Those that a new consumer has adopted are acknowledged again; the others are gone.
        left = lost.filter(({ index }) => index !== -1);
        if (lost.length > left.length) settled = "lost";
      } catch (error) {
        if (this.#closed || connection.closed) break;
        if (isQueueMissing(error)) {
          for (const delivery of left) ledger.remove(delivery);
          break;
        }
        if (!isReply(error)) for (const delivery of left) delivery.uncertain = true;
        else {
          if (!refused) logger.error({ err: error }, "The server refuses acknowledgements. They are tried again.");
          refused = true;
          onProblem(`the server refuses acknowledgements: ${error.message}`);
          if (!isTransient(error)) backoff = MAX_BACKOFF_MS;
        }
        if (connection.up) await sleep(backoff);
        backoff = Math.min(backoff * 2, MAX_BACKOFF_MS);
      }
    }
    if (refused) onProblem(undefined);
    batch.resolve(left.length === 0 ? settled : "lost");
    onSettled();
  }

  /** Gives those that were not the consumer's. While its lease goes on the script does not say which: then it is all of them. */
  async #run(deliveries: readonly StreamDelivery[]): Promise<readonly StreamDelivery[]> {
    const { connection, keys, ledger, onLeaseEnded } = this.#options;
    const { consumer } = ledger;
    const entries = deliveries.map(({ entry }) => entry);
    const reply = await connection.run(acknowledge, [keys.queue, keys.leases], [GROUP, consumer, ...entries]);
    const [ended, count = 0, ...lost] = reply as number[];
    if (ended === 1) {
      await onLeaseEnded(consumer);
      return lost.flatMap((index) => deliveries[index] ?? []);
    }
    // An earlier run whose reply was lost may have acknowledged the others.
    if (count === deliveries.length || deliveries.some(({ uncertain }) => uncertain)) return [];
    for (const delivery of deliveries) ledger.remove(delivery);
    return deliveries;
  }
}
