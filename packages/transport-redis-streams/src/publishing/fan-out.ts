import type { EncodedEvent } from "@papa-events/core/transport";
import type { Bindings, Route } from "../declarations/bindings.ts";
import type { Argument } from "../scripts/script.ts";
import { pack } from "../wire/packed-event.ts";

/** The keys of a script that stores events, each once, and the arguments of `fan_out` that name them by their places. */
export class FanOut {
  readonly keys: string[];
  readonly #places = new Map<string, number>();

  /** @param keys those that the script has before the queues */
  constructor(...keys: string[]) {
    this.keys = keys;
  }

  /**
   * Appends what `fan_out` takes for these events from index `from` on, until it is about `most` entries that they make; those
   * of a name that nobody wants are left out (R5).
   *
   * @returns the index of the first event that is left
   */
  append(events: readonly EncodedEvent[], bindings: Bindings, args: Argument[], from = 0, most = Infinity): number {
    let open: Route | undefined;
    let countAt = 0;
    let count = 0;
    let entries = 0;
    let index = from;
    for (; entries < most; index += 1) {
      const event = events[index];
      if (event === undefined) break;
      const route = bindings.route(event.name);
      if (route.queues.length === 0) continue;
      if (route !== open) {
        if (open !== undefined) args[countAt] = count;
        open = route;
        args.push(route.queues.length);
        for (const queue of route.queues) args.push(this.#place(queue));
        countAt = args.length;
        count = 0;
        args.push(0);
      }
      args.push(pack(event));
      count += 1;
      entries += route.queues.length;
    }
    if (open !== undefined) args[countAt] = count;
    return index;
  }

  #place(queue: string): number {
    let place = this.#places.get(queue);
    if (place === undefined) {
      place = this.keys.push(queue);
      this.#places.set(queue, place);
    }
    return place;
  }
}
