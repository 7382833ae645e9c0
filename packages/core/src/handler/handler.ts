import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { HandledNames, Patterns, PayloadFor } from "../catalogue/matching.ts";
import type { Catalogue, EventNames, NoCatalogue, SchemaOutput } from "../catalogue/types.ts";
import type { EventContext } from "../context/event-context.ts";
import type { EventIn, OutputEvent } from "../publishing/output-event.ts";

/** What a handler returns: nothing, one event, or a list. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler without a return statement returns void
export type HandlerResult<O = OutputEvent> = void | undefined | O | readonly O[];

/** Handles one event. */
export type Handler<Payload = unknown, Context = EventContext, O = OutputEvent> = (
  payload: Payload,
  context: Context,
) => HandlerResult<O> | Promise<HandlerResult<O>>;

/** The context that a handler on these patterns gets: one member of a union per event, told apart by `eventName`. */
export type ContextFor<C extends Catalogue | NoCatalogue, P extends Patterns, S> = S extends undefined
  ? C extends NoCatalogue
    ? EventContext
    : C extends Catalogue
      ? CatalogueContext<C, HandledNames<C, P>>
      : never
  : EventContext<string, PayloadFor<C, P, S>>;

type CatalogueContext<C extends Catalogue, N extends EventNames<C>> = {
  [K in N]: EventContext<K, SchemaOutput<C[K]>>;
}[N];

/**
 * The handler that fits a catalogue, patterns and a schema. As a parameter it is wrapped whole in `NoInfer`: patterns and
 * schema say it all, and to infer from the handler as well takes the compiler two to four times as long.
 */
export type HandlerFor<
  C extends Catalogue | NoCatalogue,
  P extends Patterns,
  S extends StandardSchemaV1 | undefined,
> = Handler<PayloadFor<C, P, S>, ContextFor<C, P, S>, EventIn<C>>;

/**
 * Around a handler: tracing, idempotency, transactions. The payload is `ctx.payload`.
 *
 * `next()` calls what is inside and resolves to the events that the handler returned, a list that may be empty. A wrap that
 * returns nothing leaves them as they are; a list that it returns replaces them; what it throws fails the attempt.
 * Without `next()` the handler is not called; a second `next()` rejects. A wrap that returns while the handler runs, as where
 * `await` was left out, is waited for until the handler has ended.
 */
export type Wrap = (
  context: EventContext,
  next: () => Promise<OutputEvent[]>,
  // biome-ignore lint/suspicious/noConfusingVoidType: a wrap without a return statement returns void
) => Promise<readonly OutputEvent[] | void>;
