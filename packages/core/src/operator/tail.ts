import Denque from "denque";
import { isPapaError, PapaError } from "../errors/papa-error.ts";
import type { Tail } from "../transport/administration.ts";
import { systemClock } from "../transport/clock.ts";
import { type Headers, type ReceivedEvent, sizeOf } from "../transport/event.ts";
import { EventReader } from "../wire/decode.ts";
import { decodePayload } from "../wire/payload.ts";

/** How much is held for a slow reader; what comes then is dropped. */
const MAX_HELD_EVENTS = 1_000;
const MAX_HELD_BYTES = 16_777_216;

/** An event as it was published. */
export interface TailedEvent {
  readonly id: string;
  readonly name: string;
  /** The parsed JSON; absent if the body is not JSON. */
  readonly payload?: unknown;
  /** The bytes as received. */
  readonly body: Uint8Array;
  /** All headers, the library's own included. */
  readonly headers: Headers;
  /** When it happened. */
  readonly time: Date;
  /** How many events were dropped between the one before and this, since they could not be held for a slow reader. */
  readonly dropped: number;
}

/** How {@link import("./operator.ts").Operator.tail} goes about it. */
export interface TailOptions {
  /** Ends it when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Called when it has begun: what is published from then on is seen. */
  readonly onStart?: (() => void) | undefined;
}

/** Shows events as they are published. Ends when the reader returns or the signal is aborted. */
export async function* tailEvents(
  begin: () => Promise<Tail>,
  held: HeldEvents,
  { signal, onStart }: TailOptions,
): AsyncIterableIterator<TailedEvent> {
  const onAbort = () => held.end();
  signal?.addEventListener("abort", onAbort);
  let tail: Tail | undefined;
  try {
    if (signal?.aborted === true) return;
    tail = await begin();
    onStart?.();
    for (let event = await held.next(); event !== undefined; event = await held.next()) yield event;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    // One whose connection is gone has left nothing behind.
    await tail?.stop().catch((error: unknown) => {
      if (!isPapaError(error, "connection-failed")) throw error;
    });
  }
}

/** What a tail has seen and its reader has not: bounded, the rest is counted and dropped. */
export class HeldEvents {
  readonly #events = new Denque<{ readonly event: ReceivedEvent; readonly dropped: number }>();
  #bytes = 0;
  #dropped = 0;
  #ended = false;
  #error: Error | undefined;
  #wake: () => void = () => {};

  add(event: ReceivedEvent): void {
    const size = sizeOf(event);
    const full = this.#events.length >= MAX_HELD_EVENTS || this.#bytes + size > MAX_HELD_BYTES;
    if (this.#ended || (full && !this.#events.isEmpty())) {
      this.#dropped += 1;
      return;
    }
    this.#events.push({ event, dropped: this.#dropped });
    this.#dropped = 0;
    this.#bytes += size;
    this.#wake();
  }

  dropped(count: number): void {
    this.#dropped += count;
  }

  /** What is held is still read; then the reader gets the error, if there is one. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wake();
  }

  /** Resolves to the next event, and to `undefined` at the end. */
  async next(): Promise<TailedEvent | undefined> {
    for (;;) {
      const held = this.#events.shift();
      if (held !== undefined) {
        this.#bytes -= sizeOf(held.event);
        return tailedEvent(held.event, held.dropped);
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function tailedEvent(event: ReceivedEvent, dropped: number): TailedEvent {
  const reader = new EventReader(event, systemClock);
  const decoded = decodePayload(event);
  return {
    id: reader.id,
    name: reader.name,
    ...("problem" in decoded ? {} : { payload: decoded.payload }),
    body: event.body,
    headers: reader.headers,
    time: new Date(reader.time),
    dropped,
  };
}

/** Makes the error of what a transport gives no way to do. */
export function notAdministrable(transport: string, operation: string): PapaError {
  const message = `${operation}: the transport "${transport}" has no administration.`;
  return new PapaError("unsupported-broker", message, { transport, problem: "it has no administration" });
}
