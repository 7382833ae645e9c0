import type { ReceivedEvent } from "./event.ts";

/**
 * What operators do to a namespace, with no app running. Every member may be called while others are under way, and
 * rejects with the retryable `connection-failed` while the broker is away, and with `access-refused` where it does not
 * allow it.
 */
export interface Administration {
  /**
   * Every use case that the namespace remembers, sorted: also one that no instance has run for long, and one of which only
   * dead letters are left, where the broker can tell.
   */
  useCases(): Promise<readonly string[]>;

  /**
   * Which use cases are paused. Every app asks each two seconds, so that it is cheap, and disturbs nobody, whatever else
   * goes on.
   */
  paused(): Promise<readonly string[]>;

  /** Notes in the broker that a use case is paused, or no longer: for all instances, over restarts, until it is undone. Idempotent. */
  pause(useCase: string): Promise<void>;
  resume(useCase: string): Promise<void>;

  /**
   * Removes a use case: its bindings, declarations, pause, records of trials, waiting and ready events, and its dead letters
   * where they are to be purged (R9). No later publish makes anything of it anew, nor does an instance that still runs it by
   * its next `Declarations.declare`: that one is told by `onProblem` and a log line. A connection's first `declare` of it,
   * after the removal, makes it anew.
   *
   * @returns whether there was anything of it
   */
  remove(useCase: string, deadLetters: "keep" | "purge"): Promise<boolean>;

  /**
   * Shows events as they are published from now on, by anyone, while no use case notices. Slows no publisher: what cannot be
   * held for a slow reader is dropped. Leaves nothing behind, also where the process is killed: at once or within a minute.
   * Ends by itself with the connection.
   */
  tail(patterns: readonly string[], listener: TailListener): Promise<Tail>;

  /**
   * Looks at all that it can see: version, settings, rights, clock, retention, durability, what is held up, what is full. Of
   * paused use cases, of absent apps and of numbers of dead letters the core tells by itself.
   */
  diagnose(): Promise<readonly Finding[]>;
}

/** Takes what a tail shows. Its members return at once. */
export interface TailListener {
  readonly onEvent: (event: ReceivedEvent) => void;
  /** Called with how many events were dropped, where the broker tells. */
  readonly onDropped: (count: number) => void;
  /** Called once, when the tail has ended without {@link Tail.stop}. */
  readonly onEnd: (error: Error) => void;
}

/** A tail under way. */
export interface Tail {
  /** Ends it, and removes what it needed. Idempotent. */
  stop(): Promise<void>;
}

/** Something that an operator may want to know or change. */
export interface Finding {
  /** `"error"` loses events or stops them, `"warning"` may do so one day, `"info"` is good to know. */
  readonly severity: "error" | "warning" | "info";
  /** What was found, with the object's name. */
  readonly what: string;
  /** What it means. */
  readonly why: string;
  /** What to do. */
  readonly remedy: string;
}
