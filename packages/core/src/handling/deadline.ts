import { PapaError } from "../errors/papa-error.ts";
import type { Clock } from "../transport/clock.ts";
import type { DeliveryContext } from "./delivery-context.ts";
import type { HandlerResult } from "./handler.ts";

/**
 * Waits for a handler as long as its timeout allows (H7). At the limit its signal aborts and this rejects with
 * `handler-timeout`, while the handler itself may go on: `context.running` then gives its true end, until which it
 * counts for the concurrency (H2), and what it still returns or throws is only logged.
 */
export function callWithDeadline(
  context: DeliveryContext,
  timeout: number,
  clock: Clock,
  call: () => HandlerResult | Promise<HandlerResult>,
): Promise<HandlerResult> {
  return new Promise((resolve, reject) => {
    const handler = (async () => call())();
    const cancel = clock.after(
      timeout,
      () => {
        const message = `The handler of "${context.useCase}" ran longer than its timeout of ${timeout} ms.`;
        const error = new PapaError(
          "handler-timeout",
          message,
          { useCase: context.useCase, timeout },
          { retryable: true },
        );
        context.running = lateEnd(handler, context);
        context.abort(error);
        reject(error);
      },
      true,
    );
    handler.then(resolve, reject).finally(cancel);
  });
}

async function lateEnd(handler: Promise<HandlerResult>, context: DeliveryContext): Promise<void> {
  try {
    const result = await handler;
    const lost = result === undefined ? "" : "; the events it returned are not published";
    context.logger.warn({}, `A handler ended after its timeout${lost}.`);
  } catch (error) {
    context.logger.warn({ error }, "A handler failed after its timeout.");
  }
}
