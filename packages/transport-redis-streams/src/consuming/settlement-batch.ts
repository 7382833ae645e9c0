import type { Settlement } from "@papa-events/core/transport";
import type { Bindings } from "../declarations/bindings.ts";
import { FanOut } from "../publishing/fan-out.ts";
import type { Argument } from "../scripts/script.ts";
import { GROUP, RELEASED, type UseCaseKeys } from "../wire/keys.ts";
import { pack } from "../wire/packed-event.ts";
import type { StreamDelivery } from "./delivery.ts";

/** How many settlements and outputs one script takes, and how many bytes of events: it is the server's only one while it runs. */
const MOST = 512;
const MOST_BYTES = 1_048_576;

/** A settlement that stores something. */
export interface Order {
  readonly delivery: StreamDelivery;
  readonly settlement: Settlement;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Settlements that one script stores in one step. */
export class SettlementBatch {
  readonly acknowledged: StreamDelivery[] = [];
  readonly orders: Order[] = [];
  /** Resolves when the batch is stored. */
  readonly stored: Promise<void>;
  /** To be called then. */
  resolve: () => void = () => {};
  #bytes = 0;
  #outputs = 0;

  constructor() {
    this.stored = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  get empty(): boolean {
    return this.acknowledged.length === 0 && this.orders.length === 0;
  }

  get full(): boolean {
    return this.acknowledged.length + this.orders.length + this.#outputs >= MOST || this.#bytes >= MOST_BYTES;
  }

  /** Whether outputs are among it, which go where the bindings say. */
  get publishes(): boolean {
    return this.orders.some(({ settlement }) => settlement.kind === "done");
  }

  addOrder(order: Order): void {
    this.orders.push(order);
    const { settlement } = order;
    if (settlement.kind === "done") {
      this.#outputs += settlement.outputs.length;
      for (const output of settlement.outputs) this.#bytes += output.text?.length ?? output.body.length;
    } else if (settlement.kind !== "release") this.#bytes += settlement.event.body.length;
  }

  /** KEYS and ARGV of the script. */
  input(
    consumer: string,
    keys: UseCaseKeys,
    version: string,
    bindings: Bindings | undefined,
  ): { readonly keys: readonly string[]; readonly args: readonly Argument[] } {
    const { queue, leases, due, waiting, dead, deadOrder } = keys;
    const fanOut = new FanOut(version, queue, leases, due, waiting, dead, deadOrder);
    const args: Argument[] = [GROUP, consumer, RELEASED, bindings === undefined ? "*" : bindings.version];
    if (this.acknowledged.length > 0) {
      args.push("done", this.acknowledged.length);
      for (const { entry } of this.acknowledged) args.push(entry);
    }
    for (const { delivery, settlement } of this.orders) appendOrder(delivery.entry, settlement, fanOut, bindings, args);
    return { keys: fanOut.keys, args };
  }
}

function appendOrder(
  entry: string,
  settlement: Settlement,
  fanOut: FanOut,
  bindings: Bindings | undefined,
  args: Argument[],
): void {
  switch (settlement.kind) {
    case "done": {
      const before = args.push("outputs", entry, 0);
      if (bindings !== undefined) fanOut.append(settlement.outputs, bindings, args);
      args[before - 1] = args.length - before;
      break;
    }
    case "retry":
    case "hand-on":
      args.push("retry", entry, settlement.delay, pack(settlement.event));
      break;
    case "dead":
      args.push("dead", entry, settlement.id, pack(settlement.event));
      break;
    case "release":
      args.push("release", entry);
      break;
  }
}
