import type { EventContext } from "./event-context.ts";
import type { Handler, HandlerResult, Wrap } from "./handler.ts";

/** The handler with wraps around it, the first outermost. Without wraps it is the handler itself, at no cost. */
export function composeWraps(wraps: readonly Wrap[], handler: Handler): Handler {
  return wraps.reduceRight<Handler>((inner, wrap) => {
    return (payload: unknown, context: EventContext) =>
      wrap(context, async (): Promise<HandlerResult> => inner(payload, context));
  }, handler);
}
