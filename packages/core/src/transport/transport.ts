import type { Logger } from "../logger.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Clock } from "./clock.ts";
import type { DeadLetterStore } from "./dead-letter-store.ts";
import type { OnDelivery, Subscription } from "./delivery.ts";
import type { EncodedEvent } from "./event.ts";

/**
 * A broker and a namespace on it. Holds no connection itself, so that several apps can use one at once and
 * one after another.
 */
export interface Transport {
  /** The kind of broker, such as `"memory"`; for messages and metrics. */
  readonly name: string;
  /**
   * Connects, checks the broker's version and settings (L4), and resolves when everything else can be called.
   *
   * @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker`; no message holds a password.
   */
  connect(options: ConnectOptions): Promise<Connection>;
}

/** What a transport is told by whoever connects. */
export interface ConnectOptions {
  /** The app's name, for the broker's own lists of clients. */
  readonly appName: string;
  readonly logger: Logger;
  /**
   * To be called when the connection is lost and when it serves again, not for the first time it does.
   * Between the two the core sends nothing. The transport reconnects by itself, for as long as it takes (L3).
   */
  readonly onStatus: (status: ConnectionStatus) => void;
}

/** Whether the broker can be reached. */
export type ConnectionStatus =
  | { readonly connected: true }
  | { readonly connected: false; readonly error?: Error | undefined };

/**
 * One app's way to the broker. Every member may be called while others are under way; none is called after
 * `close`. A connection that is lost is mended behind this interface.
 */
export interface Connection {
  /** What this transport promises beyond the contract, and where it falls short of it. */
  readonly capabilities: Capabilities;
  /** The transport's own time, if it has one; the core then uses it everywhere. */
  readonly clock?: Clock | undefined;

  /**
   * Makes each use case's queue and binds its patterns, and records each pattern as shown now. Idempotent;
   * the core repeats it so that its declarations stay alive (R6), and binds nothing anew then. Resolves when
   * every event published from now on, by anyone, reaches these use cases (R1).
   *
   * @throws PapaError `topology-conflict`, `access-refused`
   */
  declare(useCases: readonly UseCaseDeclaration[]): Promise<void>;

  /** All patterns bound to a use case, by whom ever, with how long ago each was last shown by the broker's clock (R6). */
  declarations(useCase: string): Promise<readonly ShownPattern[]>;

  /**
   * Unbinds those of `patterns` that nobody has shown for at least `idle` milliseconds. The check and the
   * removal are one step where the broker can; elsewhere a pattern shown in between is bound again by its owner's
   * next `declare`.
   */
  withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void>;

  /**
   * Stores events for every use case that wants them. Resolves when the broker has taken responsibility for
   * each or has not (P1): the list of those it has not, empty when all is well. Never rejects. Not called
   * with more than `capabilities.publishing` allows. An event given again after an unknown outcome may be stored twice.
   */
  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]>;

  /**
   * Delivers a declared use case's events to `onDelivery`, one call each, never in a publisher's stack.
   * Resolves when consuming has begun. After a lost connection it goes on by itself.
   *
   * @param readAhead how many deliveries may be unsettled at once, to begin with
   */
  subscribe(useCase: string, readAhead: number, onDelivery: OnDelivery): Promise<Subscription>;

  /** The dead letters of a use case, whether this app declares it or not. Asks the broker nothing yet. */
  deadLetters(useCase: string): DeadLetterStore;

  /** How many events a use case holds now. @throws PapaError `unknown-use-case` */
  inspect(useCase: string): Promise<QueueStats>;

  /**
   * Stores the settlements given so far, hands back what is unsettled with its attempt unchanged, and lets go
   * of everything. Settling later does nothing. Resolves also when the broker is away: it redelivers by itself.
   */
  close(): Promise<void>;
}

/** A use case as the broker must know it. */
export interface UseCaseDeclaration {
  readonly name: string;
  readonly patterns: readonly string[];
}

/** A bound pattern and how many milliseconds ago an instance last declared it. */
export interface ShownPattern {
  readonly pattern: string;
  readonly idle: number;
}

/** An event of a `publish` call that is not known to be stored; `error.retryable` tells whether sending it again may help. */
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
