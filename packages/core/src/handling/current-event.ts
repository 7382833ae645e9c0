import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import type { EventContext } from "./event-context.ts";

const storage = new AsyncLocalStorage<EventContext>();

/** The context of the handler that is running, from anywhere below it; `undefined` outside of handlers. */
export function currentEvent(): EventContext | undefined {
  return storage.getStore();
}

/** Calls a handler, or a listener, so that {@link currentEvent} gives its context in it and in all that it sets off. */
export function runInContext<R>(context: EventContext, call: Call<R>, payload: unknown): R {
  return outside.runInAsyncScope(enterAndCall<R>, undefined, context, call, payload);
}

type Call<R> = (payload: unknown, context: EventContext) => R;

/**
 * What every handler starts from: no context at all, instead of that of whoever happened to publish or settle. It also
 * makes entering one cheap (25 ns against 170 ns of `storage.run`, Node.js 24): a context entered from none copies none, and
 * the scope puts back the one before by itself.
 */
const outside = new AsyncResource("papa-events handler", { requireManualDestroy: true });

function enterAndCall<R>(context: EventContext, call: Call<R>, payload: unknown): R {
  storage.enterWith(context);
  return call(payload, context);
}
