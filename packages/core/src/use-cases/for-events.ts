import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Catalogue, CheckedPatterns, EventNames, NoCatalogue, Patterns, SchemaInput } from "../catalogue/types.ts";
import type { HandlerFor, OutputEvent } from "../handling/handler.ts";
import { makeUseCase, type UseCase, type UseCaseOptions } from "./use-case.ts";

/** `useCase` and `event` typed by a catalogue. */
export interface ForEvents<C extends Catalogue> {
  /** As {@link import("./use-case.ts").useCase}, with payloads and returned events typed by the catalogue. */
  useCase<const P extends Patterns, S extends StandardSchemaV1 | undefined = undefined>(
    name: string,
    options: UseCaseOptions<P, S> & { readonly on: CheckedPatterns<S extends StandardSchemaV1 ? NoCatalogue : C, P> },
    handler: NoInfer<HandlerFor<C, P, S>>,
  ): UseCase;
  /** An event to return from a handler, typed where it is made, so that a mistake is a short error at its place. */
  event<N extends EventNames<C>>(
    name: N,
    payload: SchemaInput<C[N]>,
    options?: { readonly headers?: Readonly<Record<string, string>> | undefined },
  ): OutputEvent<N, SchemaInput<C[N]>>;
}

/**
 * Typed helpers for modules that have a catalogue and no app.
 *
 * @example const { useCase, event } = forEvents(events);
 */
export function forEvents<C extends Catalogue>(events: C): ForEvents<C> {
  return {
    useCase: (name, options, handler) => makeUseCase(name, options, handler, events),
    event: (name, payload, options) => ({ name, payload, ...options }),
  };
}
