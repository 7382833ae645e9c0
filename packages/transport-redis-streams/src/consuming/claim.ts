import type { Logger, Settlement } from "@papa-events/core/transport";
import type { Link } from "../client/link.ts";
import type { BindingCache } from "../declarations/bindings.ts";
import type { UseCaseKeys } from "../wire/keys.ts";
import { type DeliveryOwner, StreamDelivery } from "./delivery.ts";
import { SettlementSender } from "./settlement-sender.ts";

const STORED = Promise.resolve();

export interface ClaimOptions {
  readonly keys: UseCaseKeys;
  /** The key of the bindings' version. */
  readonly version: string;
  readonly link: () => Link;
  readonly bindings: BindingCache;
  readonly logger: Logger;
  /** Told of each delivery that is no longer out, and of each that is again because it could not be settled. */
  readonly onOut: (change: 1 | -1) => void;
  /** Told of each event that waits from now on. */
  readonly onWaiting: (delay: number) => void;
  /** Told when the server says that this consumer's lease has ended. */
  readonly onEnded: () => void;
}

/** What one consumer of the group holds. When its lease ends, another claim takes its place. */
export class Claim implements DeliveryOwner {
  readonly consumer: string;
  readonly #options: ClaimOptions;
  readonly #sender: SettlementSender;
  /** In no order: a settled one's place is taken by the last. */
  readonly #held: StreamDelivery[] = [];
  #closed = false;

  constructor(consumer: string, options: ClaimOptions) {
    this.consumer = consumer;
    this.#options = options;
    this.#sender = new SettlementSender(consumer, {
      ...options,
      onRefused: (delivery) => {
        this.#hold(delivery);
        options.onOut(1);
      },
    });
  }

  /** Takes an entry that the server has handed to this consumer. */
  take(entry: string, fields: readonly Buffer[], crashes: number): StreamDelivery {
    const delivery = new StreamDelivery(entry, fields, crashes, this);
    this.#hold(delivery);
    return delivery;
  }

  /** Whether nothing is out and all that has been settled is stored. */
  get empty(): boolean {
    return this.#held.length === 0 && this.#sender.isIdle;
  }

  /** The entries that are out, or settled and not known to be stored. */
  known(): Set<string> {
    const known = new Set(this.#held.map(({ entry }) => entry));
    this.#sender.addTo(known);
    return known;
  }

  settle(delivery: StreamDelivery, settlement: Settlement): Promise<void> {
    if (this.#closed || this.#held[delivery.place] !== delivery) return STORED;
    this.#letGo(delivery);
    this.#options.onOut(-1);
    if (settlement.kind === "done" && settlement.outputs.length === 0) return this.#sender.done(delivery);
    return this.#sender.order(delivery, settlement);
  }

  /** Resolves when all that has been settled is stored. */
  flush(): Promise<void> {
    return this.#sender.idle();
  }

  /** Settling does nothing from now on. */
  close(): void {
    this.#closed = true;
    this.#sender.close();
  }

  #hold(delivery: StreamDelivery): void {
    delivery.place = this.#held.push(delivery) - 1;
  }

  #letGo(delivery: StreamDelivery): void {
    const last = this.#held.pop();
    if (last === undefined || last === delivery) return;
    this.#held[delivery.place] = last;
    last.place = delivery.place;
  }
}
