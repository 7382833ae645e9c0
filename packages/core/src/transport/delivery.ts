import type { EncodedEvent, ReceivedEvent } from "./event.ts";

/** Takes a delivery. Returns at once and never throws; the delivery is settled later. */
export type OnDelivery = (delivery: Delivery) => void;

/** One handing of one event to this instance. */
export interface Delivery {
  readonly event: ReceivedEvent;
  /** 1 for the first; counted up by retries only (T4, T6). */
  readonly attempt: number;
  /** How often the event was handed out before and came back unsettled; 0 where the broker cannot count (T6). */
  readonly crashes: number;
  /**
   * Decides what becomes of the event. Resolves when that is stored, and also when the event is no longer this
   * instance's to settle (a lost connection, claim or assignment): it is then redelivered, and this settlement is
   * dropped, never applied to something else (L3). Rejects only when the broker refuses what it was to store;
   * the delivery is then still open and can be settled again. Called at most once at a time.
   */
  settle(settlement: Settlement): Promise<void>;
}

/** What becomes of a delivered event. The event is gone from the queue only after what is given here is stored (H1). */
export type Settlement =
  /** It has been handled. The outputs are published with it, in one step where the broker can. */
  | { readonly kind: "done"; readonly outputs: readonly EncodedEvent[] }
  /** It failed: `event`, which carries the next attempt's number, waits `delay` milliseconds and comes back to this use case only. */
  | { readonly kind: "retry"; readonly delay: number; readonly event: EncodedEvent }
  /** Another declaration of this use case wants it (R6): as `retry`, but nothing has been counted. */
  | { readonly kind: "hand-on"; readonly delay: number; readonly event: EncodedEvent }
  /** It is given up: `event`, which carries the reason, is kept under `id` until somebody acts. */
  | { readonly kind: "dead"; readonly id: string; readonly event: EncodedEvent }
  /** It was not started: it goes back to its queue, attempt and, where the broker can, crashes unchanged. */
  | { readonly kind: "release" };

/** A use case being consumed. */
export interface Subscription {
  /** Changes how many deliveries may be unsettled at once; those that are out stay out. */
  readAhead(limit: number): void;
  /** Takes no new deliveries; resolves when `onDelivery` will not be called any more. What was delivered can still be settled. */
  stop(): Promise<void>;
}
