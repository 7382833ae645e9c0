import type { EncodedEvent, ReceivedEvent } from "./event.ts";

/** Takes a delivery. Returns at once and never throws; the delivery is settled later. */
export type OnDelivery = (delivery: Delivery) => void;

/** One handing of one event to this instance. */
export interface Delivery {
  readonly event: ReceivedEvent;
  /** 1 for the first; counted up by retries only (T4, T6). */
  readonly attempt: number;
  /**
   * How often the event was handed out before and came back for no reason the broker knows of: a process died, a
   * connection was lost. 0 where the broker cannot count. A hint and no verdict: it makes an event a suspect (T6).
   */
  readonly redeliveries: number;
  /**
   * Whether the event is known to be no longer this instance's: a lost channel, claim or assignment. Asked right before
   * the handler would be called, so that what is handled elsewhere is not begun here too.
   */
  readonly lost: boolean;
  /**
   * Decides what becomes of the event. Resolves to `"stored"` when that is stored, and to `"lost"` when the event is no
   * longer this instance's to settle: it is redelivered, and this settlement is dropped, never applied to something
   * else (L3). Rejects only when the broker refuses what it was to store; the delivery is then still open and can be
   * settled again. `done` without outputs and `release` store nothing and never reject. Called at most once at a time.
   *
   * The delivery counts as unsettled, for the `readAhead` it was handed out under, until this has resolved (H9).
   */
  settle(settlement: Settlement): Promise<Settled>;
}

/** What came of a settlement. */
export type Settled = "stored" | "lost";

/** What becomes of a delivered event. The event is gone from the queue only after what is given here is stored (H1). */
export type Settlement =
  /** It has been handled. The outputs are published with it, in one step where the broker can. */
  | { readonly kind: "done"; readonly outputs: readonly EncodedEvent[] }
  /** It failed: `event`, which carries the next attempt's number, waits `delay` milliseconds and comes back to this use case only. */
  | { readonly kind: "retry"; readonly delay: number; readonly event: EncodedEvent }
  /**
   * Another declaration of this use case wants it (R6): as `retry`, but nothing has been counted. With `to`, the
   * {@link import("./declarations.ts").Declaration.id} of a declaration that a live instance has, and where the transport
   * claims `addressedForwarding`, it goes to an instance that subscribed under that id and waits for nothing.
   */
  | { readonly kind: "forward"; readonly delay: number; readonly event: EncodedEvent; readonly to?: string | undefined }
  /** It is given up: `event`, which carries the reason, is kept under `id` until somebody acts. */
  | { readonly kind: "dead"; readonly id: string; readonly event: EncodedEvent }
  /** It was not handled: it goes back to its queue, attempt and, where the broker can, redeliveries unchanged. */
  | { readonly kind: "release" };

/** How a use case is consumed. */
export interface SubscribeOptions {
  /** How many deliveries may be unsettled at once, to begin with. */
  readonly readAhead: number;
  /** The {@link import("./declarations.ts").Declaration.id} of this instance's declaration, for events forwarded to it. */
  readonly declaration: string;
}

/** A use case being consumed. */
export interface Subscription {
  /** Changes how many deliveries may be unsettled at once, at least 1; those that are out stay out. */
  readAhead(limit: number): void;
  /** Takes no new deliveries; resolves when `onDelivery` will not be called any more. What was delivered can still be settled. */
  stop(): Promise<void>;
}
