import type { SettlementNote } from "../../history/entry.ts";
import type { Packed } from "./layout.ts";

/** An entry of a queue, as it was after the command before. */
export interface MirroredEntry extends Packed {
  readonly id: string;
  /** Who has it; `undefined` before it is handed out. */
  consumer: string | undefined;
  deliveries: number;
  /** The number of its delivery to a process; 0 where none has it. */
  delivery: number;
  process: string;
}

/** What the server held of a use case after the command before. */
export class Mirror {
  readonly useCase: string;
  readonly entries = new Map<string, MirroredEntry>();
  readonly waiting = new Map<string, Packed>();
  /** When what waits is due, by the server's clock. */
  readonly due = new WeakMap<Packed, number>();
  readonly dead = new Map<string, Packed>();
  /** Trials not taken back, by event. */
  readonly trials = new Map<string, readonly string[]>();

  constructor(useCase: string) {
    this.useCase = useCase;
  }
}

/** What an app has asked for, by delivery. */
export class Asked {
  readonly #asked = new Map<number, SettlementNote[]>();

  add(delivery: number, settlement: SettlementNote): void {
    const asked = this.#asked.get(delivery);
    if (asked === undefined) this.#asked.set(delivery, [settlement]);
    else asked.push(settlement);
  }

  /** The latest of a kind, if there was one. */
  latest<K extends SettlementNote["kind"]>(
    delivery: number,
    kind: K,
  ): Extract<SettlementNote, { readonly kind: K }> | undefined {
    return this.#asked
      .get(delivery)
      ?.findLast((each): each is Extract<SettlementNote, { readonly kind: K }> => each.kind === kind);
  }
}
