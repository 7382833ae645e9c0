import type { EventContext } from "../context/event-context.ts";
import type { OutputEvent } from "../publishing/output-event.ts";
import { collectOutputs } from "./collect-outputs.ts";
import type { Handler, HandlerResult, Wrap } from "./handler.ts";

/** Puts wraps around a handler, the first outermost. Without wraps it is the handler itself, at no cost. */
export function composeWraps(wraps: readonly Wrap[], handler: Handler): Handler {
  return wraps.reduceRight<Handler>(wrapped, handler);
}

const SECOND_NEXT = "A wrap called next() a second time; it may call it once, or not at all.";

/**
 * What the wrap returns takes the place of the handler's events; a wrap that returns nothing leaves them as they are,
 * since `await next()` without `return` would otherwise lose them in silence. Where `await` is left out as well, the
 * attempt is over when the handler is.
 */
function wrapped(inner: Handler, wrap: Wrap): Handler {
  return async (payload: unknown, context: EventContext): Promise<HandlerResult> => {
    let handled: readonly OutputEvent[] = [];
    let handling: Promise<OutputEvent[]> | undefined;
    let running = false;
    const handle = async (): Promise<OutputEvent[]> => {
      try {
        handled = collectOutputs(await inner(payload, context), context.useCase);
        return [...handled];
      } finally {
        running = false;
      }
    };
    const next = (): Promise<OutputEvent[]> => {
      if (handling !== undefined) return Promise.reject(new Error(SECOND_NEXT));
      running = true;
      handling = handle();
      // That the handler fails must not end the process where the wrap does not look.
      handling.catch(() => {});
      return handling;
    };
    const returned = await wrap(context, next);
    if (running) await handling;
    return returned === undefined ? handled : returned;
  };
}
