import type { ContextLogger } from "../logging/logger.ts";
import { invalidOption } from "../options/check-options.ts";
import type { Headers } from "../transport/event.ts";

/** What a handler knows about the event it is handed (H6). */
export interface EventContext<Name extends string = string, Payload = unknown> {
  /** The published name, on every attempt. */
  readonly eventName: Name;
  /** The same object as the handler's first argument, here so that `eventName` narrows it. */
  readonly payload: Payload;
  /** The same on every retry, redelivery and redrive: the key for idempotency. */
  readonly id: string;
  /** When the event was published. */
  readonly time: Date;
  /** 1 for the first attempt; counted up by retries, not by redeliveries after a crash (T1, T6). */
  readonly attempt: number;
  /** The use case that handles it. */
  readonly useCase: string;
  /** The headers that are not the library's own: the user's, and those of the trace. */
  readonly headers: Headers;
  /**
   * Aborts when nothing counts any more that the handler does: its `timeout` has passed, the app has stopped and cannot wait any
   * longer, or the event is another's now (`event-lost`), as far as the broker tells.
   */
  readonly signal: AbortSignal;
  /** The app's logger, with use case, event name and id on each line. */
  readonly logger: ContextLogger;
}

/**
 * The token by which the context is injected into what is made for a delivery. The library makes all instances;
 * a test can use any object that has the members.
 */
export const EventContext = class EventContext {
  constructor() {
    // A container makes what it has no registration for: outside of a delivery it would inject an empty object.
    if (new.target !== EventContext) return;
    const problem =
      "it belongs to one delivery, and what outlives deliveries, such as a singleton, cannot be given one";
    throw invalidOption("EventContext", problem);
  }
} as new () => EventContext;
