/** What {@link runUntilSignal} runs. */
interface Runnable {
  start(): Promise<void>;
  stop(): Promise<void>;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Starts an app and stops it at the first signal. The next signal finds no listener and ends the process.
 *
 * @param stopped resolves when the app has been stopped, by whoever it was
 */
export async function runUntilSignal(app: Runnable, stopped: Promise<void>): Promise<void> {
  let stop: () => void = () => {};
  const signalled = new Promise<void>((resolve) => {
    stop = resolve;
  });
  for (const signal of SIGNALS) process.once(signal, stop);
  // A transport without sockets would leave Node.js nothing to wait for.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  try {
    // A signal also ends a start that waits for its broker.
    const started = app.start();
    await Promise.race([started, signalled.then(() => app.stop())]);
    await started;
    await Promise.race([signalled, stopped]);
    for (const signal of SIGNALS) process.off(signal, stop);
    await app.stop();
  } finally {
    clearInterval(keepAlive);
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}
