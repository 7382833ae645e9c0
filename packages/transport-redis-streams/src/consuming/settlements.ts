import type { EncodedEvent, Settled, Settlement } from "@papa-events/core/transport";
import { move } from "../scripts/move.ts";
import type { Argument } from "../scripts/script.ts";
import { GROUP, RELEASED_CONSUMER } from "../wire/keys.ts";
import { Acknowledger } from "./acknowledger.ts";
import type { DeliverySettler, StreamDelivery } from "./delivery.ts";
import { LargeOutputs, needParts } from "./large-outputs.ts";
import { type OutputStoreOptions, storeOutputs, toSettleReply } from "./output-store.ts";
import { appendMove, type PendingSettlement } from "./settlement-batch.ts";
import { type SendSettlements, SettlementSender, type SettleReply, type SettlingOptions } from "./settlement-sender.ts";

const LOST: Promise<Settled> = Promise.resolve("lost");

export interface SettlementsOptions extends SettlingOptions, OutputStoreOptions {
  /** Called with the delay of each event that waits from now on. */
  readonly onWaiting: (delay: number) => void;
}

/**
 * Settles the deliveries of one use case. What frees memory on the server, what moves events there and what adds events to
 * it each go their own way, so that a server that refuses one still stores the others (L7).
 */
export class Settlements implements DeliverySettler {
  readonly #options: SettlementsOptions;
  /** In how many queues an output is stored, as far as that is known. */
  readonly #copiesOf: (output: EncodedEvent) => number;
  readonly #done: Acknowledger;
  readonly #moved: SettlementSender;
  readonly #withOutputs: SettlementSender;
  /** Those whose outputs nobody wants: the server has room for them, and they are not to wait behind others. */
  readonly #withUnwanted: SettlementSender;
  readonly #largeOutputs: LargeOutputs;
  /** Those whose outputs are being stored in parts. */
  readonly #inParts = new Set<Promise<Settled>>();
  #closed = false;

  constructor(options: SettlementsOptions) {
    this.#options = options;
    this.#done = new Acknowledger(options);
    this.#moved = new SettlementSender(options, (settlements, consumer) => this.#move(settlements, consumer));
    const storeAll: SendSettlements = (settlements, consumer) => {
      const all = settlements.map(({ delivery, settlement }) => ({
        delivery,
        outputs: settlement.kind === "done" ? settlement.outputs : [],
        more: false,
      }));
      return storeOutputs(all, consumer, options);
    };
    const { bindings } = options;
    this.#copiesOf = ({ name }) => bindings.cached?.route(name).queues.length ?? 1;
    this.#withOutputs = new SettlementSender(options, storeAll, this.#copiesOf);
    this.#withUnwanted = new SettlementSender(options, storeAll);
    this.#largeOutputs = new LargeOutputs(options);
  }

  settle(delivery: StreamDelivery, settlement: Settlement): Promise<Settled> {
    // One that is lost may have been stored before that, by a run whose reply was lost: that is asked for.
    if (this.#closed || (delivery.lost && !delivery.uncertain)) return LOST;
    if (settlement.kind !== "done") return this.#moved.settle(delivery, settlement);
    const { outputs } = settlement;
    if (outputs.length === 0) return this.#done.acknowledge(delivery);
    if (!needParts(outputs)) {
      const wanted = outputs.some((output) => this.#copiesOf(output) > 0);
      return (wanted ? this.#withOutputs : this.#withUnwanted).settle(delivery, settlement);
    }
    const settled = this.#settleInParts(delivery, outputs);
    this.#inParts.add(settled);
    const ended = () => void this.#inParts.delete(settled);
    settled.then(ended, ended);
    return settled;
  }

  /** Resolves when all that was given so far is stored, lost or refused. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#inParts]);
    await Promise.all([this.#done, this.#moved, this.#withOutputs, this.#withUnwanted].map((each) => each.idle()));
  }

  /** Stores nothing more: what is settled from now on, and what is not stored yet, is lost. */
  close(): void {
    this.#closed = true;
    for (const each of [this.#done, this.#moved, this.#withOutputs, this.#withUnwanted, this.#largeOutputs])
      each.close();
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
    return toSettleReply(reply);
  }

  async #settleInParts(delivery: StreamDelivery, outputs: readonly EncodedEvent[]): Promise<Settled> {
    const last = await this.#largeOutputs.store(delivery, outputs);
    return last === "lost" ? LOST : this.#withOutputs.settle(delivery, { kind: "done", outputs: last });
  }
}
