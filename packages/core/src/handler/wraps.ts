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
 * attempt is over when the handler is, and fails when the handler does.
 */
function wrapped(inner: Handler, wrap: Wrap): Handler {
  return async (payload: unknown, context: EventContext): Promise<HandlerResult> => {
    let handled: readonly OutputEvent[] = [];
    let handling: WatchedPromise<OutputEvent[]> | undefined;
    const handle = async (): Promise<OutputEvent[]> => {
      handled = collectOutputs(await inner(payload, context), context.useCase);
      return [...handled];
    };
    const next = (): Promise<OutputEvent[]> => {
      if (handling !== undefined) return Promise.reject(new Error(SECOND_NEXT));
      handling = WatchedPromise.of(handle());
      return handling;
    };
    const returned = await wrap(context, next);
    if (handling?.pending === true || handling?.watched === false) await handling;
    return returned === undefined ? handled : returned;
  };
}

/** Knows whether anybody has looked at what became of it: a failure that nobody has seen is nobody's decision. */
class WatchedPromise<T> extends Promise<T> {
  watched = false;
  pending = true;

  static override get [Symbol.species]() {
    return Promise;
  }

  static of<T>(promise: Promise<T>): WatchedPromise<T> {
    const watched = new WatchedPromise<T>((resolve) => resolve(promise));
    const end = () => {
      watched.pending = false;
    };
    // Not by its own `then`; and a failure that nobody looks at must not end the process.
    Promise.prototype.then.call(watched, end, end);
    return watched;
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise, and this is how it is looked at.
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.watched = true;
    return super.then(onFulfilled, onRejected);
  }
}
