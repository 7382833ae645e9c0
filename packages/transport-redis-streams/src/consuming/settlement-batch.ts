import type { Settlement } from "@papa-events/core/transport";
import type { Bindings } from "../declarations/bindings.ts";
import { FanOut } from "../publishing/fan-out.ts";
import type { Argument } from "../scripts/script.ts";
import { GROUP, RELEASED_CONSUMER, type UseCaseKeys } from "../wire/keys.ts";
import { pack } from "../wire/packed-event.ts";
import type { StreamDelivery } from "./delivery.ts";

/** How much one script takes: the number of settlements and outputs, and the bytes of their events. It blocks the server. */
const MAX_COUNT = 512;
const MAX_BYTES = 1_048_576;

/** A settlement on its way to the server. */
export interface PendingSettlement {
  readonly delivery: StreamDelivery;
  readonly settlement: Settlement;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Settlements that one script stores in one step. */
export class SettlementBatch {
  /** Deliveries that are done without outputs. */
  readonly acknowledged: StreamDelivery[] = [];
  /** All other settlements. */
  readonly settlements: PendingSettlement[] = [];
  /** Resolves when the batch is stored. */
  readonly stored: Promise<void>;
  /** Resolves `stored`. */
  resolve: () => void = () => {};
  #bytes = 0;
  #outputs = 0;

  constructor() {
    this.stored = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  get empty(): boolean {
    return this.acknowledged.length === 0 && this.settlements.length === 0;
  }

  get full(): boolean {
    const count = this.acknowledged.length + this.settlements.length + this.#outputs;
    return count >= MAX_COUNT || this.#bytes >= MAX_BYTES;
  }

  /** Whether it has outputs, which go where the bindings say. */
  get publishes(): boolean {
    return this.settlements.some(({ settlement }) => settlement.kind === "done");
  }

  add(pending: PendingSettlement): void {
    this.settlements.push(pending);
    const { settlement } = pending;
    if (settlement.kind === "done") {
      this.#outputs += settlement.outputs.length;
      for (const output of settlement.outputs) this.#bytes += output.text?.length ?? output.body.length;
    } else if (settlement.kind !== "release") this.#bytes += settlement.event.body.length;
  }

  /** Makes KEYS and ARGV of the script. */
  input(
    consumer: string,
    keys: UseCaseKeys,
    version: string,
    bindings: Bindings | undefined,
  ): { readonly keys: readonly string[]; readonly args: readonly Argument[] } {
    const { queue, leases, due, waiting, dead, deadOrder } = keys;
    const fanOut = new FanOut(version, queue, leases, due, waiting, dead, deadOrder);
    const args: Argument[] = [GROUP, consumer, RELEASED_CONSUMER, bindings === undefined ? "*" : bindings.version];
    if (this.acknowledged.length > 0) {
      args.push("done", this.acknowledged.length);
      for (const { entry } of this.acknowledged) args.push(entry);
    }
    for (const { delivery, settlement } of this.settlements)
      appendSettlement(delivery.entry, settlement, fanOut, bindings, args);
    return { keys: fanOut.keys, args };
  }
}

function appendSettlement(
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
