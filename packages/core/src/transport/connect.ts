import { isPapaError, PapaError } from "../errors/papa-error.ts";
import type { Logger } from "../logging/logger.ts";
import { systemClock } from "./clock.ts";
import type { Connection, ConnectOptions, Transport } from "./transport.ts";

/** How long one attempt to connect may take, also where a socket accepts and never answers (L4). */
const ATTEMPT_LIMIT_MS = 10_000;
const INITIAL_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 5_000;

/** How long a broker is waited for. */
export interface Patience {
  /** How long one that cannot be reached is waited for, in milliseconds. */
  readonly waitForBroker: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/**
 * Tries something that needs the broker, and tries again for as long as a broker that cannot be reached is waited for: one
 * that is just coming up may accept a connection and lose it again. Wrong credentials and the like are not waited for: they
 * stay wrong.
 */
export async function patiently<T>(attempt: () => Promise<T>, { waitForBroker, signal, logger }: Patience): Promise<T> {
  const deadline = systemClock.elapsed() + waitForBroker;
  for (let backoff = INITIAL_BACKOFF_MS; ; backoff = Math.min(backoff * 2, MAX_BACKOFF_MS)) {
    try {
      return await attempt();
    } catch (error) {
      const left = deadline - systemClock.elapsed();
      if (left <= 0 || signal.aborted || !isPapaError(error, "connection-failed")) throw error;
      logger.info({ err: error, left }, "The broker cannot be reached yet; waiting for it.");
      await pause(Math.min(backoff * (0.5 + Math.random() / 2), left), signal);
      if (signal.aborted) throw error;
    }
  }
}

/**
 * Connects within 10 s. A connection that comes later is closed again, so that a failed start leaves nothing.
 *
 * @throws PapaError as `Transport.connect`
 */
export function connect(transport: Transport, options: ConnectOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let late = false;
    const connecting = transport.connect(options);
    const timer = setTimeout(() => {
      late = true;
      const message = `The broker (${transport.name}) did not answer within ${ATTEMPT_LIMIT_MS / 1000} s.`;
      reject(new PapaError("connection-failed", message, { transport: transport.name }, { retryable: true }));
    }, ATTEMPT_LIMIT_MS);
    const connected = (connection: Connection) => {
      clearTimeout(timer);
      if (late) connection.close().catch(() => {});
      else resolve(connection);
    };
    const failed = (error: unknown) => {
      clearTimeout(timer);
      reject(error);
    };
    connecting.then(connected, failed);
  });
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
