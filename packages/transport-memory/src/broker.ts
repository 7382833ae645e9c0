import { type Clock, type EncodedEvent, PatternTrie } from "@papa-events/core/transport";
import { Queue } from "./queue.ts";
import { waitUntilQuiet } from "./quiet.ts";
import { isVirtual } from "./virtual-clock.ts";

/** How many names' routes are kept. */
const ROUTES_LIMIT = 10_000;

/** The queues of all use cases and the way from an event's name to them. */
export class Broker {
  readonly clock: Clock;
  readonly #queues = new Map<string, Queue>();
  readonly #bindings = new PatternTrie<Queue>();
  /** By name; forgotten when a binding changes. */
  readonly #routes = new Map<string, readonly Queue[]>();
  readonly #duplicate: ((event: EncodedEvent) => boolean) | undefined;
  /** Queues that may have something to hand out. */
  #awake = new Set<Queue>();

  constructor(clock: Clock, duplicate: ((event: EncodedEvent) => boolean) | undefined) {
    this.clock = clock;
    this.#duplicate = duplicate;
    if (isVirtual(clock)) clock.attach(this);
  }

  /** Makes the queue if need be, binds, and records the patterns as shown now. */
  declare(useCase: string, patterns: readonly string[]): void {
    let queue = this.#queues.get(useCase);
    if (queue === undefined) {
      queue = new Queue(useCase, this.clock, (awake) => this.#wake(awake), this.#duplicate);
      this.#queues.set(useCase, queue);
    }
    const now = this.clock.elapsed();
    for (const pattern of patterns) {
      if (!queue.shown.has(pattern)) this.#rebind(() => this.#bindings.add(pattern, queue));
      queue.shown.set(pattern, now);
    }
  }

  /** Unbinds those patterns that nobody has shown for so long. */
  withdraw(useCase: string, patterns: readonly string[], idle: number): void {
    const queue = this.#queues.get(useCase);
    if (queue === undefined) return;
    const shownSince = this.clock.elapsed() - idle;
    for (const pattern of patterns) {
      if ((queue.shown.get(pattern) ?? Number.POSITIVE_INFINITY) > shownSince) continue;
      queue.shown.delete(pattern);
      this.#rebind(() => this.#bindings.remove(pattern, queue));
    }
  }

  queue(useCase: string): Queue | undefined {
    return this.#queues.get(useCase);
  }

  /** Puts events into every queue that wants them; one that nobody wants is forgotten (R5). */
  publish(events: readonly EncodedEvent[]): void {
    for (const event of events) {
      for (const queue of this.#route(event.name)) queue.add(event);
    }
  }

  /** Work that is left to do now, for virtual clocks. */
  get busy(): boolean {
    if (this.#awake.size > 0) return true;
    for (const queue of this.#queues.values()) if (queue.busy) return true;
    return false;
  }

  /** Grows whenever something gets done. */
  get progress(): number {
    let sum = 0;
    for (const queue of this.#queues.values()) sum += queue.handedOut + queue.settled;
    return sum;
  }

  settled(): Promise<void> {
    return isVirtual(this.clock) ? this.clock.settled() : waitUntilQuiet([this]);
  }

  #route(name: string): readonly Queue[] {
    let route = this.#routes.get(name);
    if (route === undefined) {
      route = this.#bindings.match(name);
      if (this.#routes.size >= ROUTES_LIMIT) this.#routes.clear();
      this.#routes.set(name, route);
    }
    return route;
  }

  #rebind(change: () => void): void {
    change();
    this.#routes.clear();
  }

  /** Has a queue hand out in a turn of its own, never in the stack of whoever published or settled. */
  #wake(queue: Queue): void {
    if (this.#awake.size === 0) setImmediate(() => this.#handOut());
    this.#awake.add(queue);
  }

  #handOut(): void {
    const awake = this.#awake;
    this.#awake = new Set();
    for (const queue of awake) queue.handOut();
  }
}
