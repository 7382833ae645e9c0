import type { Logger } from "../logging/logger.ts";
import type { Administration } from "./administration.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Clock } from "./clock.ts";
import type { DeadLetterStore } from "./dead-letter-store.ts";
import type { Declarations } from "./declarations.ts";
import type { OnDelivery, SubscribeOptions, Subscription } from "./delivery.ts";
import type { EncodedEvent } from "./event.ts";
import type { Trials } from "./trials.ts";

/**
 * A broker and a namespace on it. Holds no connection itself, so that several apps can use one at once and
 * one after another.
 */
export interface Transport {
  /** The kind of broker, such as `"memory"`; for messages and metrics. */
  readonly name: string;
  /**
   * Connects, checks the broker's version and settings (L4), and resolves when everything else can be called. One that
   * rejects leaves nothing open. It may be called several times, also at once.
   *
   * @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker`; no message holds a password.
   */
  connect(options: ConnectOptions): Promise<Connection>;
}

/** What a transport is given by whoever connects. */
export interface ConnectOptions {
  /** The app's name, for the broker's own lists of clients and for the declarations. */
  readonly appName: string;
  readonly logger: Logger;
  /**
   * Whether an operator connects, who may have no more than the right to look: connecting makes nothing on the broker, and
   * fails for nothing but that it cannot be reached or entered. What else is wrong is for `Administration.diagnose` to tell.
   */
  readonly operator?: boolean | undefined;
  /**
   * The most bytes that may be handed out and not yet settled, all use cases together, as far as the transport can tell
   * (H9). A single event that has more is handed out alone.
   */
  readonly maxHeldBytes: number;
  /**
   * To be called when the connection is lost and when it serves again, not for the first time it does and not for `close`.
   * Between the two the core publishes nothing. The transport reconnects by itself, for as long as it takes (L3), and
   * restores what was declared and subscribed before it reports the return: the core does not do so again.
   */
  readonly onStatus: (status: ConnectionStatus) => void;
  /**
   * To be called when something keeps events from being consumed, published or settled while the connection stands
   * (a full broker, a consumer that is gone, a partition that is held up), and, with `undefined`, when that is over.
   * It shows in `health()` (L6).
   *
   * @param subject what it is about, such as `consuming "send_welcome"`; one problem at a time is kept for each. The core
   * itself uses `connection`, `publishing`, `declarations` and `settling "..."`
   */
  readonly onProblem: (subject: string, problem: string | undefined) => void;
}

/** Whether the broker can be reached. */
export type ConnectionStatus =
  | { readonly connected: true }
  | { readonly connected: false; readonly error?: Error | undefined };

/**
 * One app's way to the broker. Every member may be called while others are under way. A connection that is lost is
 * restored behind this interface; meanwhile all that asks the broker rejects with the retryable `connection-failed`, so
 * that whoever asks what is wrong need not wait. After `close` only stragglers come, which may be refused.
 */
export interface Connection {
  /** What this transport promises beyond the contract, and where it falls short of it. */
  readonly capabilities: Capabilities;
  /** The transport's own time, if it has one; the core then uses it everywhere. */
  readonly clock?: Clock | undefined;
  /** What is declared on the broker, by this app and by others. */
  readonly declarations: Declarations;
  /** Where trials of suspects are recorded (T6); without it no event becomes a suspect. */
  readonly trials?: Trials | undefined;
  /** What operators do to the namespace; without it a use case cannot be paused, removed or found. */
  readonly administration?: Administration | undefined;

  /**
   * Stores events for every use case that wants them. Resolves when the broker has taken responsibility for
   * each or has not (P1): the list of those it has not, empty when all is well. Never rejects. Called with at least one
   * event, and not with more than `capabilities.publishing` allows. An event given again after an unknown outcome may be
   * stored twice.
   */
  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]>;

  /**
   * Delivers a declared use case's events to `onDelivery`, one call each, never in a publisher's stack.
   * Resolves when consuming has begun. After a lost connection it goes on by itself. A use case has one subscription at a
   * time: once `Subscription.stop` has resolved, it may be subscribed again, also while deliveries of before are unsettled.
   */
  subscribe(useCase: string, options: SubscribeOptions, onDelivery: OnDelivery): Promise<Subscription>;

  /** The dead letters of a use case, whether this app declares it or not. Asks the broker nothing yet. */
  deadLetters(useCase: string): DeadLetterStore;

  /** How many events a use case holds now. @throws PapaError `unknown-use-case` */
  inspect(useCase: string): Promise<QueueStats>;

  /**
   * Stores the settlements given so far, hands back what is unsettled with its attempt unchanged, and lets go
   * of everything. Settling later does nothing and gives `"lost"`. Resolves also when the broker is away: it
   * redelivers by itself. May come without `Subscription.stop` before it, and twice.
   */
  close(): Promise<void>;
}

/** An event of a `publish` call that is not known to be stored; it is sent again if `error` is a retryable `PapaError`. */
export interface Unconfirmed {
  readonly index: number;
  readonly error: Error;
}

/** How many events a use case holds. */
export interface QueueStats {
  /** Waiting for a handler. */
  readonly ready: number;
  /** Handed to an instance and not settled. */
  readonly inFlight: number;
  /** Waiting for their retry. */
  readonly waiting: number;
  /** Dead letters. */
  readonly dead: number;
}
