import type { Settlement } from "@papa-events/core/transport";
import { type DeliveryOwner, StreamDelivery } from "./delivery.ts";
import { SettlementSender, type SettlementSenderOptions } from "./settlement-sender.ts";

const STORED = Promise.resolve();

export interface ClaimOptions extends Omit<SettlementSenderOptions, "onRefused"> {
  /** Called when a delivery is settled, and when it is unsettled again because the server refused its settlement. */
  readonly onUnsettled: (change: 1 | -1) => void;
}

/** Holds the deliveries of one consumer of the group. When its lease ends, a new claim replaces it. */
export class Claim implements DeliveryOwner {
  readonly consumer: string;
  readonly #options: ClaimOptions;
  readonly #sender: SettlementSender;
  /** In no order: the last one fills the gap of a settled one. */
  readonly #held: StreamDelivery[] = [];
  #closed = false;

  constructor(consumer: string, options: ClaimOptions) {
    this.consumer = consumer;
    this.#options = options;
    this.#sender = new SettlementSender(consumer, {
      ...options,
      onRefused: (delivery) => {
        this.#add(delivery);
        options.onUnsettled(1);
      },
    });
  }

  /** Takes an entry that the server has delivered to this consumer. */
  take(entry: string, fields: readonly Buffer[], crashes: number): StreamDelivery {
    const delivery = new StreamDelivery(entry, fields, crashes, this);
    this.#add(delivery);
    return delivery;
  }

  /** Whether all deliveries are settled and their settlements stored. */
  get empty(): boolean {
    return this.#held.length === 0 && this.#sender.isIdle;
  }

  /** The entries whose settlement is not known to be stored. */
  openEntries(): Set<string> {
    const entries = new Set(this.#held.map(({ entry }) => entry));
    this.#sender.addEntriesTo(entries);
    return entries;
  }

  settle(delivery: StreamDelivery, settlement: Settlement): Promise<void> {
    if (this.#closed || this.#held[delivery.index] !== delivery) return STORED;
    this.#remove(delivery);
    this.#options.onUnsettled(-1);
    if (settlement.kind === "done" && settlement.outputs.length === 0) return this.#sender.acknowledge(delivery);
    return this.#sender.send(delivery, settlement);
  }

  /** Resolves when all settlements are stored. */
  flush(): Promise<void> {
    return this.#sender.idle();
  }

  /** Makes settling do nothing from now on. */
  close(): void {
    this.#closed = true;
    this.#sender.close();
  }

  #add(delivery: StreamDelivery): void {
    delivery.index = this.#held.push(delivery) - 1;
  }

  #remove(delivery: StreamDelivery): void {
    const last = this.#held.pop();
    if (last === undefined || last === delivery) return;
    this.#held[delivery.index] = last;
    last.index = delivery.index;
  }
}
