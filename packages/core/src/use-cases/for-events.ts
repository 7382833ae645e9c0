import type { StandardSchemaV1 } from "@standard-schema/spec";
import { assertCatalogue } from "../catalogue/define-events.ts";
import type { CheckedPatterns, InputFor, Patterns } from "../catalogue/matching.ts";
import type { Catalogue, NameIn, PayloadIn } from "../catalogue/types.ts";
import type { HandlerFor } from "../handler/handler.ts";
import type { OutputEvent } from "../publishing/output-event.ts";
import { makeUseCase, type UseCase } from "./use-case.ts";
import type { HandlingOptions } from "./use-case-options.ts";

/** `useCase` and `event` typed by a catalogue. Both have types with names, so that a module can export them. */
export interface ForEvents<C extends Catalogue> {
  readonly useCase: UseCaseFor<C>;
  readonly event: EventFor<C>;
}

/** As {@link import("./use-case.ts").useCase}, with payloads and returned events typed by the catalogue. */
export type UseCaseFor<C extends Catalogue> = <
  const P extends Patterns,
  S extends StandardSchemaV1 | undefined = undefined,
>(
  name: string,
  options: HandlingOptions<S> & { readonly on: S extends undefined ? CheckedPatterns<C, P> : P },
  handler: NoInfer<HandlerFor<C, P, S>>,
) => UseCase<InputFor<C, P, S>>;

/** Makes an event to return from a handler, typed there, so that a mistake is a short error at its place. */
export type EventFor<C extends Catalogue> = <N extends NameIn<C>>(
  name: N,
  payload: NoInfer<PayloadIn<C, N>>,
  options?: { readonly headers?: Readonly<Record<string, string>> | undefined },
) => OutputEvent<N, PayloadIn<C, N>>;

/**
 * Typed helpers for modules that have a catalogue and no app.
 *
 * @throws PapaError `invalid-event-name`, `invalid-option`
 * @example export const { useCase, event } = forEvents(events);
 */
export function forEvents<C extends Catalogue>(events: C): ForEvents<C> {
  assertCatalogue(events, "forEvents");
  return {
    useCase: (name, options, handler) => makeUseCase(name, options, handler, events),
    event: (name, payload, options) => ({ name, payload, ...options }),
  };
}
