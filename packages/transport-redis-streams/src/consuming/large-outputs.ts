import { type EncodedEvent, type Settled, sizeOf } from "@papa-events/core/transport";
import { isBug, isQueueMissing, isReply } from "../client/errors.ts";
import { sleep } from "../client/time-limit.ts";
import type { StreamDelivery } from "./delivery.ts";
import { type OutputStoreOptions, storeOutputs } from "./output-store.ts";
import { MAX_BYTES, MAX_COUNT } from "./settlement-batch.ts";
import type { SettlingOptions } from "./settlement-sender.ts";

const INITIAL_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 5_000;

/**
 * Stores outputs that are too much for one script in parts, all but the last, which goes with the acknowledgement. A script
 * that large blocks the server, and on a slow line it takes longer than a connection may be silent.
 *
 * The parts are not one step: a process that dies between two has stored some, and the event's next attempt stores them
 * again.
 */
export class LargeOutputs {
  readonly #options: SettlingOptions & OutputStoreOptions;
  /** How many of a handler's outputs are stored, so that a settlement that is tried again goes on from there. */
  readonly #stored = new WeakMap<readonly EncodedEvent[], number>();
  /** One part of a use case at a time, so that other commands get their turn. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: SettlingOptions & OutputStoreOptions) {
    this.#options = options;
  }

  /**
   * Stores all parts but the last. Resolves to the outputs of the last one, or to `"lost"`.
   *
   * @throws PapaError when the server refuses a part; those before it stay stored
   */
  async store(delivery: StreamDelivery, outputs: readonly EncodedEvent[]): Promise<readonly EncodedEvent[] | "lost"> {
    for (;;) {
      const from = this.#stored.get(outputs) ?? 0;
      const next = endOfPart(outputs, from);
      if (next === outputs.length) return outputs.slice(from);
      const part = this.#turn.then(() => this.#storePart(delivery, outputs.slice(from, next)));
      this.#turn = part.catch(() => {});
      if ((await part) === "lost") return "lost";
      this.#stored.set(outputs, next);
    }
  }

  /** Stores nothing more. */
  close(): void {
    this.#closed = true;
  }

  /** Repeats until the server has replied. What a lost reply leaves unknown is stored again. */
  async #storePart(delivery: StreamDelivery, outputs: readonly EncodedEvent[]): Promise<Settled> {
    const { connection, ledger, onLeaseEnded, onSettled } = this.#options;
    for (let backoff = INITIAL_BACKOFF_MS; ; backoff = Math.min(backoff * 2, MAX_BACKOFF_MS)) {
      if (this.#closed || connection.closed || delivery.lost) return "lost";
      try {
        await connection.whenUp();
        const { consumer } = ledger;
        const { leaseEnded, lost } = await storeOutputs([{ delivery, outputs, more: true }], consumer, this.#options);
        if (leaseEnded) await onLeaseEnded(consumer);
        if (lost.length === 0) return "stored";
        // A new consumer may have adopted it.
        if (leaseEnded && !delivery.lost) continue;
        break;
      } catch (error) {
        if (isQueueMissing(error)) break;
        if (isReply(error) || isBug(error)) throw connection.toPapaError(error);
        if (connection.up) await sleep(backoff);
      }
    }
    ledger.remove(delivery);
    onSettled();
    return "lost";
  }
}

/** Whether outputs are too much for one script. */
export function needParts(outputs: readonly EncodedEvent[]): boolean {
  return endOfPart(outputs, 0) < outputs.length;
}

/** The index after the last output of the part that begins at `from`; one that is larger than a part is one alone. */
function endOfPart(outputs: readonly EncodedEvent[], from: number): number {
  let bytes = 0;
  let at = from;
  for (const limit = from + MAX_COUNT; at < outputs.length && at < limit; at += 1) {
    const output = outputs[at];
    if (output !== undefined) bytes += sizeOf(output);
    if (bytes > MAX_BYTES && at > from) break;
  }
  return at;
}
