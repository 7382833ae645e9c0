import type { EncodedEvent } from "@papa-events/core/transport";
import type { Bindings, Route } from "../declarations/bindings.ts";
import type { Argument } from "../scripts/script.ts";
import { pack } from "../wire/packed-event.ts";

/** About how many entries one script adds. That many take the server some 3 ms, in which it serves nobody else. */
export const MAX_ENTRIES_PER_SCRIPT = 1_024;

/** Builds the keys of a script that stores events, and the arguments of `fan_out` that refer to them by index. */
export class FanOut {
  readonly keys: string[];
  /** How many entries the script adds. */
  entries = 0;
  readonly #indexes = new Map<string, number>();

  /** @param keys those that the script takes before the queues */
  constructor(...keys: string[]) {
    this.keys = keys;
  }

  /**
   * Appends the arguments of `fan_out` for events from index `from` on, until the script adds about `maxEntries` entries. Events
   * that go to no queue are left out (R5).
   *
   * @returns the index of the first event that is left
   */
  append(
    events: readonly EncodedEvent[],
    bindings: Bindings,
    args: Argument[],
    from = 0,
    maxEntries = Infinity,
  ): number {
    let open: Route | undefined;
    let countAt = 0;
    let count = 0;
    let index = from;
    for (; this.entries < maxEntries; index += 1) {
      const event = events[index];
      if (event === undefined) break;
      const route = bindings.route(event.name);
      if (route.queues.length === 0 && route.tails.length === 0) continue;
      if (route !== open) {
        if (open !== undefined) args[countAt] = count;
        open = route;
        args.push(route.queues.length);
        for (const queue of route.queues) args.push(this.#indexOf(queue));
        args.push(route.tails.length);
        for (const { stream, state } of route.tails) args.push(this.#indexOf(stream, state));
        countAt = args.length;
        count = 0;
        args.push(0);
      }
      args.push(pack(event));
      count += 1;
      this.entries += route.queues.length + route.tails.length;
    }
    if (open !== undefined) args[countAt] = count;
    return index;
  }

  #indexOf(key: string, ...others: readonly string[]): number {
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = this.keys.push(key);
      this.#indexes.set(key, index);
      this.keys.push(...others);
    }
    return index;
  }
}
