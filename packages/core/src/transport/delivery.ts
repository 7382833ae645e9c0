import type { EncodedEvent, ReceivedEvent } from "./event.ts";

/**
 * Takes a delivery. Returns at once and never throws. It may come before `subscribe` has resolved. The delivery is settled
 * later, or, where the app stops, before this returns; the subscription's read-ahead may change in it too.
 */
export type OnDelivery = (delivery: Delivery) => void;

/** One handing of one event to this instance. */
export interface Delivery {
  readonly event: ReceivedEvent;
  /** 1 for the first; counted up by retries only (T4, T6). */
  readonly attempt: number;
  /**
   * How often the event was handed out before and came back for no reason the broker knows of: a process died, a
   * connection was lost. 0 where the broker cannot count. A hint and no verdict: from 2 on the event is a suspect (T6).
   * A retry and a forward begin at 0; the core carries the count of a forwarded event along.
   */
  readonly redeliveries: number;
  /**
   * Whether the event is known to be no longer this instance's: a lost channel, claim or assignment. Asked right before
   * the handler would be called, so that what is handled elsewhere is not begun here too. The core drops such a delivery
   * without settling it: the transport stops counting it by itself.
   */
  readonly lost: boolean;
  /**
   * Calls `listener` once with why, in words, when {@link lost} becomes true, where the transport hears of that. Used for
   * handlers that look at their signal.
   */
  onLost?(listener: (why: string) => void): void;
  /**
   * Decides what becomes of the event. Resolves to `"stored"` when that is stored, and to `"lost"` when the event is no
   * longer this instance's to settle: it is redelivered, and this settlement is dropped, never applied to something
   * else (L3). Rejects only when the broker refuses what it was to store; the delivery is then still open and can be
   * settled again, also with something else. A `PapaError` that is retryable says that it refuses for now; any other
   * error that it refuses for good, and the core stores something smaller. Called at most once at a time, and not again
   * once it has resolved.
   *
   * `done` without outputs and `release` store nothing and never reject: nobody looks at their promise. A loss that does
   * not end the claim is waited for.
   *
   * The delivery counts as unsettled, for the `readAhead` it was handed out under, until this has resolved (H9).
   */
  settle(settlement: Settlement): Promise<Settled>;
}

/** What came of a settlement. */
export type Settled = "stored" | "lost";

/** What becomes of a delivered event. The event is gone from the queue only after what is given here is stored (H1). */
export type Settlement =
  /** It has been handled. The outputs, any number of them, are published with it, in one step where the broker can. */
  | { readonly kind: "done"; readonly outputs: readonly EncodedEvent[] }
  /**
   * It failed: `event`, which carries the next attempt's number, comes back to this use case only. Not before `delay`
   * milliseconds, which may have a fraction (T2).
   */
  | { readonly kind: "retry"; readonly delay: number; readonly event: EncodedEvent }
  /**
   * Another declaration of this use case wants it (R6): as `retry`, but nothing has been counted. With `to`, the
   * {@link import("./declarations.ts").Declaration.id} of a declaration that a live instance has, and where the transport
   * claims `addressedForwarding`, it goes to an instance that subscribed under that id and waits for nothing. If there is
   * none, or none any more before one has taken it, it is anybody's.
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
  /** Changes how many deliveries may be unsettled at once, at least 1; those that are out stay out. Comes at any time, also after {@link stop}. */
  readAhead(limit: number): void;
  /**
   * Takes no new deliveries; resolves when `onDelivery` will not be called any more. What was delivered can still be
   * settled; what is released comes to this subscription no more.
   */
  stop(): Promise<void>;
}
