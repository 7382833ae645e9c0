import { PapaError } from "@papa-events/core";

const refusals = new WeakSet<PapaError>();

/** Makes the error of a message that a queue has refused. */
export function refusedByQueue(address: string, queue: string | undefined, cause: Error): PapaError {
  const which = queue === undefined ? "a queue" : `the queue "${queue}"`;
  const message = `The broker at ${address} did not take the event; ${which} is full or has no leader.`;
  const error = new PapaError("connection-failed", message, { transport: "amqp", address }, { retryable: true, cause });
  refusals.add(error);
  return error;
}

/** Whether an error says that a queue has refused a message. */
export function isRefusal(error: unknown): boolean {
  return error instanceof PapaError && refusals.has(error);
}
