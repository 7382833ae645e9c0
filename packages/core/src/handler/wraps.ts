import type { EventContext } from "../context/event-context.ts";
import type { OutputEvent } from "../publishing/output-event.ts";
import { collectOutputs } from "./collect-outputs.ts";
import type { Handler, HandlerResult, Wrap } from "./handler.ts";

/** Puts wraps around a handler, the first outermost. Without wraps it is the handler itself, at no cost. */
export function composeWraps(wraps: readonly Wrap[], handler: Handler): Handler {
  return wraps.reduceRight<Handler>(wrapped, handler);
}

/**
 * What the wrap returns takes the place of the handler's events; a wrap that returns nothing leaves them as they are,
 * since `await next()` without `return` would otherwise lose them in silence.
 */
function wrapped(inner: Handler, wrap: Wrap): Handler {
  return async (payload: unknown, context: EventContext): Promise<HandlerResult> => {
    let called = false;
    let handled: readonly OutputEvent[] = [];
    const next = async (): Promise<OutputEvent[]> => {
      if (called) throw new Error("A wrap called next() a second time; it may call it once, or not at all.");
      called = true;
      handled = collectOutputs(await inner(payload, context), context.useCase);
      return [...handled];
    };
    const returned = await wrap(context, next);
    return returned === undefined ? handled : returned;
  };
}
