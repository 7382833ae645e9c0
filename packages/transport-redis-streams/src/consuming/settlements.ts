import type { Settled, Settlement } from "@papa-events/core/transport";
import type { BindingCache } from "../declarations/bindings.ts";
import { FanOut } from "../publishing/fan-out.ts";
import { BINDINGS_CHANGED } from "../scripts/fragments/fan-out.ts";
import { move } from "../scripts/move.ts";
import type { Argument } from "../scripts/script.ts";
import { settleWithOutputs } from "../scripts/settle-with-outputs.ts";
import { GROUP, RELEASED_CONSUMER } from "../wire/keys.ts";
import { Acknowledger } from "./acknowledger.ts";
import type { DeliverySettler, StreamDelivery } from "./delivery.ts";
import { appendMove, type PendingSettlement, repeated } from "./settlement-batch.ts";
import { SettlementSender, type SettleReply, type SettlingOptions } from "./settlement-sender.ts";

const LOST: Promise<Settled> = Promise.resolve("lost");

export interface SettlementsOptions extends SettlingOptions {
  /** The key of the bindings' version. */
  readonly version: string;
  readonly bindings: BindingCache;
  /** Called with the delay of each event that waits from now on. */
  readonly onWaiting: (delay: number) => void;
}

/**
 * Settles the deliveries of one use case. What frees memory on the server, what moves events there and what adds events to
 * it each go their own way, so that a server that refuses one still stores the others (L7).
 */
export class Settlements implements DeliverySettler {
  readonly #options: SettlementsOptions;
  readonly #done: Acknowledger;
  readonly #moved: SettlementSender;
  readonly #withOutputs: SettlementSender;
  #closed = false;

  constructor(options: SettlementsOptions) {
    this.#options = options;
    this.#done = new Acknowledger(options);
    this.#moved = new SettlementSender(options, (settlements, consumer) => this.#move(settlements, consumer));
    this.#withOutputs = new SettlementSender(options, (settlements, consumer) =>
      this.#storeOutputs(settlements, consumer),
    );
  }

  settle(delivery: StreamDelivery, settlement: Settlement): Promise<Settled> {
    // One that is lost may have been stored before that, by a run whose reply was lost: that is asked for.
    if (this.#closed || (delivery.lost && !delivery.uncertain)) return LOST;
    if (settlement.kind !== "done") return this.#moved.settle(delivery, settlement);
    if (settlement.outputs.length > 0) return this.#withOutputs.settle(delivery, settlement);
    return this.#done.acknowledge(delivery);
  }

  /** Resolves when all that was given so far is stored, lost or refused. */
  async idle(): Promise<void> {
    await Promise.all([this.#done.idle(), this.#moved.idle(), this.#withOutputs.idle()]);
  }

  /** Stores nothing more: what is settled from now on, and what is not stored yet, is lost. */
  close(): void {
    this.#closed = true;
    for (const each of [this.#done, this.#moved, this.#withOutputs]) each.close();
  }

  async #move(settlements: readonly PendingSettlement[], consumer: string): Promise<SettleReply> {
    const { connection, keys, onWaiting } = this.#options;
    const { queue, leases, due, waiting, dead, deadOrder } = keys;
    const args: Argument[] = [GROUP, consumer, RELEASED_CONSUMER];
    for (const pending of settlements) appendMove(pending, args);
    const reply = await connection.run(move, [queue, leases, due, waiting, dead, deadOrder], args);
    for (const { settlement } of settlements) {
      if (settlement.kind === "retry" || settlement.kind === "forward") onWaiting(settlement.delay);
    }
    return toReply(reply);
  }

  async #storeOutputs(settlements: readonly PendingSettlement[], consumer: string): Promise<SettleReply> {
    const { connection, keys, bindings, version } = this.#options;
    for (;;) {
      const current = await bindings.get();
      const fanOut = new FanOut(version, keys.queue, keys.leases);
      const args: Argument[] = [current.version, GROUP, consumer];
      for (const { delivery, settlement } of settlements) {
        const before = args.push(delivery.entry, repeated(delivery), 0);
        if (settlement.kind === "done") fanOut.append(settlement.outputs, current, args);
        args[before - 1] = args.length - before;
      }
      const reply = await connection.run(settleWithOutputs, fanOut.keys, args);
      if (reply !== BINDINGS_CHANGED) return toReply(reply);
      bindings.drop(current);
    }
  }
}

function toReply(reply: unknown): SettleReply {
  const [leaseEnded, ...lost] = reply as number[];
  return { leaseEnded: leaseEnded === 1, lost };
}
