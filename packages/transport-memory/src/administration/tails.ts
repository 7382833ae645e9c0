import { type EncodedEvent, PatternTrie, sizeOf, type Tail, type TailListener } from "@papa-events/core/transport";

/** The most that is kept for one listener until its turn comes. */
const MAX_PENDING_EVENTS = 10_000;
const MAX_PENDING_BYTES = 16 * 1_048_576;

/** Everyone who watches what is published. */
export class Tails {
  /** `undefined` while nobody does: publishing looks at nothing else. */
  #watching: Set<WatchingTail> | undefined;

  add(patterns: readonly string[], listener: TailListener): WatchingTail {
    this.#watching ??= new Set();
    const tail = new WatchingTail(patterns, listener, () => {
      this.#watching?.delete(tail);
      if (this.#watching?.size === 0) this.#watching = undefined;
    });
    this.#watching.add(tail);
    return tail;
  }

  show(events: readonly EncodedEvent[]): void {
    if (this.#watching === undefined) return;
    for (const tail of this.#watching) tail.show(events);
  }
}

/** One who watches. Its listener is called in turns of its own, never in a publisher's stack. */
export class WatchingTail implements Tail {
  readonly #patterns = new PatternTrie<true>();
  readonly #listener: TailListener;
  readonly #onEnd: () => void;
  #pending: EncodedEvent[] = [];
  #pendingBytes = 0;
  #dropped = 0;
  #open = true;

  constructor(patterns: readonly string[], listener: TailListener, onEnd: () => void) {
    for (const pattern of patterns) this.#patterns.add(pattern, true);
    this.#listener = listener;
    this.#onEnd = onEnd;
  }

  show(events: readonly EncodedEvent[]): void {
    const wasIdle = this.#pending.length === 0;
    for (const event of events) {
      if (!this.#patterns.matches(event.name)) continue;
      if (this.#pending.length >= MAX_PENDING_EVENTS || this.#pendingBytes + sizeOf(event) > MAX_PENDING_BYTES) {
        this.#dropped += 1;
        continue;
      }
      this.#pending.push(event);
      this.#pendingBytes += sizeOf(event);
    }
    if (wasIdle && this.#pending.length > 0) setImmediate(() => this.#handOver());
  }

  async stop(): Promise<void> {
    this.#close();
  }

  /** Ends with the connection. */
  end(error: Error): void {
    if (!this.#open) return;
    this.#close();
    this.#listener.onEnd(error);
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#pending = [];
    this.#onEnd();
  }

  #handOver(): void {
    const events = this.#pending;
    const dropped = this.#dropped;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#dropped = 0;
    for (const event of events) if (this.#open) this.#listener.onEvent(event);
    if (dropped > 0 && this.#open) this.#listener.onDropped(dropped);
  }
}
