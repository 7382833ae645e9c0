import { PatternTrie } from "@papa-events/core/transport";

/** How many names' routes are kept. */
const MAX_ROUTES = 10_000;

/** The way from an event's name to the queues that are bound to it. */
export class Routes<Queue> {
  readonly #bindings = new PatternTrie<Queue>();
  /** By name; forgotten when a binding changes. */
  readonly #known = new Map<string, readonly Queue[]>();

  /** Finds the queues of an event; none where nobody wants it (R5). */
  to(name: string): readonly Queue[] {
    let queues = this.#known.get(name);
    if (queues === undefined) {
      queues = this.#bindings.match(name);
      if (this.#known.size >= MAX_ROUTES) this.#known.clear();
      this.#known.set(name, queues);
    }
    return queues;
  }

  bind(pattern: string, queue: Queue): void {
    this.#bindings.add(pattern, queue);
    this.#known.clear();
  }

  unbind(pattern: string, queue: Queue): void {
    this.#bindings.remove(pattern, queue);
    this.#known.clear();
  }
}
