import type { Clock, Declaration, DeclarationRecord, EncodedEvent } from "@papa-events/core/transport";
import { Tails } from "./administration/tails.ts";
import { MemoryTrials } from "./consuming/memory-trials.ts";
import { Queue, type QueueUser } from "./consuming/queue.ts";
import type { QueueDeadLetters } from "./dead-letters/dead-letters.ts";
import { Routes } from "./publishing/routes.ts";
import { waitUntilQuiet } from "./waiting/quiet.ts";
import { isVirtual } from "./waiting/virtual-clock.ts";

/** The broker itself: the queues of all use cases, and what is bound to them. */
export class Broker {
  readonly clock: Clock;
  readonly trials = new MemoryTrials();
  readonly tails = new Tails();
  /** The use cases that operators have paused; apps look here and stop by themselves. */
  readonly paused = new Set<string>();
  readonly #queues = new Map<string, Queue>();
  readonly #routes = new Routes<Queue>();
  readonly #duplicate: ((event: EncodedEvent) => boolean) | undefined;
  /** Queues that may have something to hand out. */
  #awake = new Set<Queue>();

  constructor(clock: Clock, duplicate: ((event: EncodedEvent) => boolean) | undefined) {
    this.clock = clock;
    this.#duplicate = duplicate;
    if (isVirtual(clock)) clock.attach(this);
  }

  /** Makes the queue if need be, binds its patterns, and records the declaration as seen now. */
  declare(app: string, declaration: Declaration, user: QueueUser): void {
    const queue = this.#queues.get(declaration.name) ?? this.#makeQueue(declaration.name, undefined);
    queue.declared = true;
    queue.users.add(user);
    const added = queue.declarations.record(app, declaration, this.clock.elapsed());
    for (const pattern of added) this.#routes.bind(pattern, queue);
  }

  /** Ends a use case, and tells those who run it (R9). Gives whether there was anything of it. */
  remove(useCase: string, deadLetters: "keep" | "purge"): boolean {
    this.trials.forget(useCase);
    const wasPaused = this.paused.delete(useCase);
    const queue = this.#queues.get(useCase);
    if (queue === undefined) return wasPaused;
    const was = wasPaused || queue.isRemembered;
    this.#queues.delete(useCase);
    for (const pattern of queue.declarations.patterns()) this.#routes.unbind(pattern, queue);
    queue.remove();
    const letters = queue.deadLetters;
    if (deadLetters === "purge") letters.clear();
    else if (letters.size > 0) this.#makeQueue(useCase, letters);
    return was;
  }

  declarations(useCase: string | undefined): readonly DeclarationRecord[] {
    const queues = useCase === undefined ? [...this.#queues.values()] : [this.#queues.get(useCase)];
    const now = this.clock.elapsed();
    return queues.flatMap((queue) => queue?.declarations.list(now) ?? []);
  }

  /** Unbinds those patterns that nobody has declared for so long. */
  withdraw(useCase: string, patterns: readonly string[], idle: number): void {
    const queue = this.#queues.get(useCase);
    const withdrawn = queue?.declarations.withdraw(patterns, this.clock.elapsed() - idle) ?? [];
    if (queue !== undefined) for (const pattern of withdrawn) this.#routes.unbind(pattern, queue);
  }

  queue(useCase: string): Queue | undefined {
    return this.#queues.get(useCase);
  }

  /** All of which there is something. */
  *queues(): Generator<Queue> {
    for (const queue of this.#queues.values()) if (queue.isRemembered) yield queue;
  }

  /** Puts events into every queue that wants them; one that nobody wants is forgotten (R5). */
  publish(events: readonly EncodedEvent[]): void {
    this.tails.show(events);
    for (const event of events) {
      for (const queue of this.#routes.to(event.name)) queue.add(event);
    }
  }

  /** Whether work is left to do now, for virtual clocks. */
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

  /** @param letters what was kept of one that was removed */
  #makeQueue(useCase: string, letters: QueueDeadLetters | undefined): Queue {
    const queue = new Queue(useCase, this.clock, (awake) => this.#wake(awake), this.#duplicate, letters);
    this.#queues.set(useCase, queue);
    return queue;
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
