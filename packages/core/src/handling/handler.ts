import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Patterns, PayloadFor } from "../catalogue/matching.ts";
import type { Catalogue, NameIn, NoCatalogue, PayloadIn } from "../catalogue/types.ts";
import type { ContextFor, EventContext } from "./event-context.ts";

/** An event that a handler returns to have it published (H4). */
export interface OutputEvent<Name extends string = string, Payload = unknown> {
  readonly name: Name;
  readonly payload: Payload;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** An event to publish or to return: one of the catalogue, or any without. */
export type EventIn<C extends Catalogue | NoCatalogue, N extends NameIn<C> = NameIn<C>> =
  N extends NameIn<C> ? OutputEvent<N, PayloadIn<C, N>> : never;

/** What a handler returns: nothing, one event, or a list. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler without a return statement returns void
export type HandlerResult<O = OutputEvent> = void | undefined | O | readonly O[];

/** Handles one event. */
export type Handler<Payload = unknown, Context = EventContext, O = OutputEvent> = (
  payload: Payload,
  context: Context,
) => HandlerResult<O> | Promise<HandlerResult<O>>;

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
 * Around a handler: tracing, idempotency, transactions. `next()` runs what is inside, and its result is what the
 * handler returned; what a wrap returns or throws takes its place. The payload is `ctx.payload`.
 */
export type Wrap = (context: EventContext, next: () => Promise<HandlerResult>) => Promise<HandlerResult>;
