import { isPapaError, PapaError } from "../errors/papa-error.ts";
import type { Logger } from "../logging/logger.ts";
import { systemClock } from "../transport/clock.ts";
import type { Connection, ConnectOptions, Transport } from "../transport/transport.ts";

/** How long one attempt to connect may take, also where a socket accepts and never answers (L4). */
const ATTEMPT_LIMIT_MS = 10_000;
const INITIAL_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 5_000;

/**
 * Connects, once, or, with `waitForBroker`, until it succeeds or so many milliseconds have passed. Only a broker that
 * cannot be reached is waited for: wrong credentials stay wrong.
 *
 * @throws PapaError as `Transport.connect`
 */
export async function connect(
  transport: Transport,
  options: ConnectOptions,
  waitForBroker: number,
  logger: Logger,
): Promise<Connection> {
  const deadline = systemClock.elapsed() + waitForBroker;
  for (let backoff = INITIAL_BACKOFF_MS; ; backoff = Math.min(backoff * 2, MAX_BACKOFF_MS)) {
    try {
      return await connectOnce(transport, options);
    } catch (error) {
      const left = deadline - systemClock.elapsed();
      if (left <= 0 || !isPapaError(error, "connection-failed")) throw error;
      logger.info({ err: error, left }, "The broker cannot be reached yet; waiting for it.");
      const pause = Math.min(backoff * (0.5 + Math.random() / 2), left);
      await new Promise<void>((resolve) => void setTimeout(resolve, pause));
    }
  }
}

/** A connection that comes too late is closed again, so that a failed start leaves nothing. */
async function connectOnce(transport: Transport, options: ConnectOptions): Promise<Connection> {
  let late = false;
  const connecting = transport.connect(options);
  connecting.then(
    (connection) => {
      if (late) connection.close().catch(() => {});
    },
    () => {},
  );
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      late = true;
      const message = `The broker (${transport.name}) did not answer within ${ATTEMPT_LIMIT_MS / 1000} s.`;
      reject(new PapaError("connection-failed", message, { transport: transport.name }, { retryable: true }));
    }, ATTEMPT_LIMIT_MS);
    connecting.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
