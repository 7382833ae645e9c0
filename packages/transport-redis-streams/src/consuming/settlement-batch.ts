import { type EncodedEvent, type Settled, type Settlement, sizeOf } from "@papa-events/core/transport";
import type { Argument } from "../scripts/script.ts";
import { pack } from "../wire/packed-event.ts";
import type { StreamDelivery } from "./delivery.ts";

/** How much one script takes: the number of settlements and of what they store, and the bytes of their events. It blocks the server. */
export const MAX_COUNT = 512;
export const MAX_BYTES = 1_048_576;

/** A settlement on its way to the server. */
export interface PendingSettlement {
  readonly delivery: StreamDelivery;
  readonly settlement: Settlement;
  readonly resolve: (settled: Settled) => void;
  readonly reject: (error: Error) => void;
}

/** Settlements that one script stores in one step. */
export class SettlementBatch {
  readonly settlements: PendingSettlement[] = [];
  readonly #copiesOf: (output: EncodedEvent) => number;
  #bytes = 0;
  #outputs = 0;

  /** @param copiesOf in how many queues an output is stored, as far as that is known */
  constructor(copiesOf: (output: EncodedEvent) => number) {
    this.#copiesOf = copiesOf;
  }

  get empty(): boolean {
    return this.settlements.length === 0;
  }

  get full(): boolean {
    return this.settlements.length + this.#outputs >= MAX_COUNT || this.#bytes >= MAX_BYTES;
  }

  add(pending: PendingSettlement): void {
    this.settlements.push(pending);
    const { settlement } = pending;
    if (settlement.kind === "done") {
      for (const output of settlement.outputs) {
        const copies = this.#copiesOf(output);
        this.#outputs += copies;
        this.#bytes += sizeOf(output) * copies;
      }
    } else if (settlement.kind !== "release") this.#bytes += sizeOf(settlement.event);
  }
}

/** Whether a settlement may have been stored before, by a run whose reply was lost. */
export function repeated({ uncertain, index }: StreamDelivery): 0 | 1 {
  return uncertain && index !== -1 ? 1 : 0;
}

/** Appends the arguments of the script that moves events. */
export function appendMove({ delivery, settlement }: PendingSettlement, args: Argument[]): void {
  const { entry, consumer } = delivery;
  const again = repeated(delivery);
  switch (settlement.kind) {
    case "retry":
    case "forward": {
      const { kind, delay, event } = settlement;
      // Unique even if the queue is deleted and its entry ids start again.
      const id = `${entry} ${consumer}`;
      if (kind === "forward" && settlement.to !== undefined)
        args.push("forward", entry, again, id, delay, pack(event), settlement.to);
      else args.push("wait", entry, again, id, delay, pack(event));
      break;
    }
    case "dead":
      args.push("dead", entry, again, settlement.id, pack(settlement.event));
      break;
    case "release":
      args.push("release", entry, again);
      break;
  }
}
