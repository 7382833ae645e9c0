import Denque from "denque";
import { sizeOf } from "../transport/event.ts";
import type { Outstanding } from "./outstanding.ts";

/**
 * Events of a name that the broker refuses for now: those that were refused themselves, the last of them behind, and those
 * that came later. Both get their turns, since a name may stand for several destinations, of which one refuses.
 */
export class WaitingEvents {
  readonly #refused = new Denque<Outstanding>();
  readonly #later = new Denque<Outstanding>();
  #turn = false;

  get size(): number {
    return this.#refused.length + this.#later.length;
  }

  get all(): readonly Outstanding[] {
    return [...this.#refused.toArray(), ...this.#later.toArray()];
  }

  addRefused(outstanding: Outstanding): void {
    this.#refused.push(outstanding);
  }

  addLater(outstanding: Outstanding): void {
    this.#later.push(outstanding);
  }

  /** Takes so many of them, and no more bytes than that unless it is a single one. */
  take(maxEvents: number, maxBytes: number): Outstanding[] {
    const taken: Outstanding[] = [];
    let bytes = 0;
    while (taken.length < maxEvents && this.size > 0) {
      this.#turn = !this.#turn;
      const from = this.#later.isEmpty() || (this.#turn && !this.#refused.isEmpty()) ? this.#refused : this.#later;
      const next = from.peekFront();
      if (next === undefined) break;
      bytes += sizeOf(next.event);
      if (bytes > maxBytes && taken.length > 0) break;
      from.shift();
      if (!next.settled) taken.push(next);
    }
    return taken;
  }

  dropSettled(): void {
    for (const each of [this.#refused, this.#later]) while (each.peekFront()?.settled === true) each.shift();
  }
}
