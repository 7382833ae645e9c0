import type { EncodedEvent, Logger, Settled, Settlement } from "@papa-events/core/transport";
import { isBug, isQueueMissing, isReply, isTransient } from "../client/errors.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { sleep } from "../client/time-limit.ts";
import type { UseCaseKeys } from "../wire/keys.ts";
import { BatchQueue } from "./batch-queue.ts";
import type { StreamDelivery } from "./delivery.ts";
import type { Ledger } from "./ledger.ts";
import { type PendingSettlement, SettlementBatch } from "./settlement-batch.ts";

const INITIAL_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 5_000;

export interface SettlingOptions {
  readonly keys: UseCaseKeys;
  readonly connection: ReconnectingConnection;
  readonly logger: Logger;
  readonly ledger: Ledger;
  /** Called when deliveries have been settled: there is room for others. */
  readonly onSettled: () => void;
  /** Called when the server says that a consumer's lease has ended; resolves when another one has adopted what is left. */
  readonly onLeaseEnded: (consumer: string) => Promise<void>;
  /** Called when the server refuses what cannot be rejected, and with `undefined` when it no longer does. */
  readonly onProblem: (problem: string | undefined) => void;
}

/** What a script has replied. */
export interface SettleReply {
  readonly leaseEnded: boolean;
  /** The indexes of the settlements whose entry is not the consumer's. */
  readonly lost: readonly number[];
}

/** Sends settlements to the server in one script. */
export type SendSettlements = (settlements: readonly PendingSettlement[], consumer: string) => Promise<SettleReply>;

/** Stores settlements, those of one turn in one step, and repeats each until the server has replied. */
export class SettlementSender {
  readonly #options: SettlingOptions;
  readonly #send: SendSettlements;
  readonly #queue: BatchQueue<SettlementBatch>;
  #closed = false;

  /** @param copiesOf in how many queues an output is stored, as far as that is known */
  constructor(options: SettlingOptions, send: SendSettlements, copiesOf: (output: EncodedEvent) => number = () => 1) {
    this.#options = options;
    this.#send = send;
    this.#queue = new BatchQueue(
      () => new SettlementBatch(copiesOf),
      (batch) => this.#store(batch.settlements),
    );
  }

  /** Resolves when the settlement is stored, or lost. @throws PapaError when the server refuses it */
  settle(delivery: StreamDelivery, settlement: Settlement): Promise<Settled> {
    return new Promise((resolve, reject) => this.#queue.next().add({ delivery, settlement, resolve, reject }));
  }

  /** Resolves when all settlements are stored, lost or refused. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /** Stores nothing more. */
  close(): void {
    this.#closed = true;
  }

  /** Repeats until the server has replied: what the first run has moved, a second does not find. Never rejects. */
  async #store(settlements: readonly PendingSettlement[]): Promise<void> {
    const { connection, ledger, onSettled, onProblem } = this.#options;
    let left = settlements;
    let refused = false;
    for (let backoff = INITIAL_BACKOFF_MS; left.length > 0; backoff = Math.min(backoff * 2, MAX_BACKOFF_MS)) {
      const closed = this.#closed || connection.closed;
      // What is known to be lost and was never sent need not be asked for.
      left = this.#finish(left, "lost", ({ delivery }) => closed || (delivery.lost && !delivery.uncertain));
      if (left.length === 0) break;
      try {
        await connection.whenUp();
        left = await this.#run(left);
        backoff = INITIAL_BACKOFF_MS;
      } catch (error) {
        if (this.#closed || connection.closed) continue;
        if (isQueueMissing(error)) {
          for (const { delivery } of left) ledger.remove(delivery);
          left = this.#finish(left, "lost", () => true);
          onSettled();
          break;
        }
        // A refused script has stored those before the refused one.
        if (!isReply(error) || left.length > 1) for (const { delivery } of left) delivery.uncertain = true;
        if (isReply(error) || isBug(error)) {
          if (left.length > 1 && !isTransient(error)) {
            // One of them is refused, and it is to harm no other.
            await Promise.all(left.map((each) => this.#store([each])));
            break;
          }
          left = this.#refuse(left, error);
          refused ||= left.length > 0;
          if (left.length > 0) onProblem(`the server refuses what becomes of events: ${error.message}`);
        }
        if (left.length > 0 && connection.up) await sleep(backoff);
      }
    }
    if (refused) onProblem(undefined);
  }

  /** Gives what is to be sent again: what a new consumer has adopted meanwhile. */
  async #run(settlements: readonly PendingSettlement[]): Promise<readonly PendingSettlement[]> {
    const { ledger, onLeaseEnded, onSettled } = this.#options;
    const { consumer } = ledger;
    const { leaseEnded, lost } = await this.#send(settlements, consumer);
    if (leaseEnded) await onLeaseEnded(consumer);
    const again: PendingSettlement[] = [];
    for (const [index, pending] of settlements.entries()) {
      const isLost = lost.includes(index);
      if (isLost && leaseEnded && !pending.delivery.lost) again.push(pending);
      else {
        ledger.remove(pending.delivery);
        pending.resolve(isLost ? "lost" : "stored");
      }
    }
    onSettled();
    return again;
  }

  /** Rejects settlements, whose deliveries are open again. Gives those that the core does not settle again itself. */
  #refuse(settlements: readonly PendingSettlement[], error: Error): readonly PendingSettlement[] {
    const left: PendingSettlement[] = [];
    for (const pending of settlements) {
      if (pending.settlement.kind === "release") left.push(pending);
      else pending.reject(this.#options.connection.toPapaError(error));
    }
    return left;
  }

  /** Resolves some of them, and gives the others. */
  #finish(
    settlements: readonly PendingSettlement[],
    settled: Settled,
    which: (pending: PendingSettlement) => boolean,
  ): readonly PendingSettlement[] {
    return settlements.filter((pending) => {
      const finished = which(pending);
      if (finished) pending.resolve(settled);
      return !finished;
    });
  }
}
