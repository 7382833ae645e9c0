import { AsyncLocalStorage } from "node:async_hooks";
import type { EventContext } from "./event-context.ts";
import type { Handler, HandlerResult } from "./handler.ts";

const storage = new AsyncLocalStorage<EventContext>();

/** The context of the handler that is running, from anywhere below it; `undefined` outside of handlers. */
export function currentEvent(): EventContext | undefined {
  return storage.getStore();
}

/**
 * Makes {@link currentEvent} give `context` from here on, in what this asynchronous function still does and sets off;
 * it must have awaited something before, else its caller is changed too. Half the cost of a `run`, which every
 * delivery would pay.
 */
export function enterContext(context: EventContext): void {
  storage.enterWith(context);
}

/** Calls a handler so that {@link currentEvent} gives its context. */
export function runInContext(
  context: EventContext,
  handler: Handler,
  payload: unknown,
): HandlerResult | Promise<HandlerResult> {
  return storage.run(context, handler, payload, context);
}
