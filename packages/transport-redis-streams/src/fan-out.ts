import type { EncodedEvent } from "@papa-events/core/transport";
import type { Bindings, Route } from "./bindings.ts";
import { pack } from "./packed-event.ts";
import type { Argument } from "./scripts/script.ts";

/** The keys of a script that stores events, each once, and the arguments of `fan_out` that name them by their places. */
export class FanOut {
  readonly keys: string[];
  readonly #places = new Map<string, number>();

  /** @param keys those that the script has before the queues */
  constructor(...keys: string[]) {
    this.keys = keys;
  }

  /** Appends what `fan_out` takes for these events; those of a name that nobody wants are left out (R5). */
  append(events: readonly EncodedEvent[], bindings: Bindings, args: Argument[]): void {
    let open: Route | undefined;
    let countAt = 0;
    let count = 0;
    for (const event of events) {
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
    }
    if (open !== undefined) args[countAt] = count;
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
