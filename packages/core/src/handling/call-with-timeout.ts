import { runInContext } from "../context/current-event.ts";
import { PapaError } from "../errors/papa-error.ts";
import type { Handler, HandlerResult } from "../handler/handler.ts";
import type { Clock } from "../transport/clock.ts";
import type { DeliveryContext } from "./delivery-context.ts";

/**
 * Calls a handler and waits as long as its timeout allows (H7); the time of an asynchronous schema counts. At the limit its
 * signal aborts and this rejects with `handler-timeout`, while the handler itself may go on: `context.running` then
 * resolves at its true end, and what it still returns or throws is only logged.
 */
export function callWithTimeout(
  context: DeliveryContext,
  handler: Handler<unknown, DeliveryContext>,
  payload: unknown,
  timeout: number,
  clock: Clock,
): Promise<HandlerResult> {
  return new Promise((resolve, reject) => {
    const handled = (async () => runInContext(context, handler, payload))();
    const cancel = clock.after(
      timeout,
      () => {
        const message = `The handler of "${context.useCase}" ran longer than its timeout of ${timeout} ms.`;
        const details = { useCase: context.useCase, timeout };
        const error = new PapaError("handler-timeout", message, details, { retryable: true });
        context.running = lateEnd(handled, context);
        context.abort(error);
        reject(error);
      },
      true,
    );
    handled.then(resolve, reject).finally(cancel);
  });
}

async function lateEnd(handled: Promise<HandlerResult>, context: DeliveryContext): Promise<void> {
  try {
    const result = await handled;
    const unpublished = result === undefined ? "" : "; the events it returned are not published";
    context.logger.warn({}, `A handler ended after its timeout${unpublished}.`);
  } catch (error) {
    context.logger.warn({ err: error }, "A handler failed after its timeout.");
  }
}
