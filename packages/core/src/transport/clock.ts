/** Ends a timer; ending one that has fired does nothing. */
export type CancelTimer = () => void;

/**
 * Where the core and a transport take time from. A transport may bring its own (see
 * {@link import("./transport.ts").Connection.clock}), so that tests move time instead of waiting for it.
 */
export interface Clock {
  /** The time of day in milliseconds since 1970, for what is written down. */
  now(): number;
  /** Milliseconds that only ever grow, for what is measured: the time of day may be set back. */
  elapsed(): number;
  /**
   * Calls `fire` once after `delay` milliseconds.
   *
   * Never early. It does not keep the process alive: a connection does that.
   *
   * @param limits whether the timer only bounds something that is under way (a handler's timeout, a publish), so that a
   * virtual clock lets that something finish first
   */
  after(delay: number, fire: () => void, limits?: boolean): CancelTimer;
}

/** Node.js fires a longer timer at once. */
const MAX_TIMER_MS = 2_147_483_647;

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (delay, fire) => {
    // Node.js counts from the start of the loop's turn in whole milliseconds, so that a timer can be one early.
    const timer = setTimeout(fire, Math.min(Math.ceil(delay) + 1, MAX_TIMER_MS)).unref();
    return () => clearTimeout(timer);
  },
};
