import type { StandardSchemaV1 } from "@standard-schema/spec";
import type {
  CheckedPatterns,
  NamesMatching,
  NoEventMatches,
  PatternOf,
  Patterns,
  PayloadFor,
} from "../catalogue/matching.ts";
import type { Catalogue } from "../catalogue/types.ts";
import type { ContextFor, HandlerFor } from "../handler/handler.ts";
import { invalidOption } from "../options/check-options.ts";
import type { OnEventOptions } from "../use-cases/use-case-options.ts";
import { type HandlerDecorator, methodDecorator } from "./on-event.ts";

/**
 * What a method on these patterns of a catalogue is handed: the union of what they match.
 *
 * @example handle(user: PayloadOf<typeof events, "user.*">) {}
 */
export type PayloadOf<C extends Catalogue, P extends Patterns> = Matching<C, P, PayloadFor<C, P, undefined>>;

/**
 * The context that a method on these patterns of a catalogue gets: one member of a union per event, told apart by
 * `eventName`, which narrows `payload`.
 *
 * @example handle(user: PayloadOf<typeof events, "user.*">, ctx: ContextOf<typeof events, "user.*">) {}
 */
export type ContextOf<C extends Catalogue, P extends Patterns> = Matching<C, P, ContextFor<C, P, undefined>>;

type Matching<C extends Catalogue, P extends Patterns, T> = [NamesMatching<C, PatternOf<P>>] extends [never]
  ? NoEventMatches<PatternOf<P>>
  : T;

/** Decorators typed by a catalogue. */
export interface DecoratorsFor<C extends Catalogue> {
  readonly onEvent: OnEventFor<C>;
}

/**
 * As {@link import("./on-event.ts").onEvent}; the method's parameters and what it returns are checked by the
 * catalogue, and payloads by its schemas.
 */
export type OnEventFor<C extends Catalogue> = <
  const P extends Patterns,
  S extends StandardSchemaV1 | undefined = undefined,
>(
  patterns: S extends undefined ? CheckedPatterns<C, P> : P,
  options: OnEventOptions<S>,
) => HandlerDecorator<HandlerFor<C, P, S>>;

/**
 * `@onEvent` typed by a catalogue.
 *
 * @throws PapaError `invalid-option`
 * @example
 * const { onEvent } = decoratorsFor(events);
 *
 * class UserLog {
 *   @onEvent("user.*", { useCase: "user_log" })
 *   log(user: PayloadOf<typeof events, "user.*">, ctx: ContextOf<typeof events, "user.*">) {}
 * }
 */
export function decoratorsFor<C extends Catalogue>(events: C): DecoratorsFor<C> {
  if (typeof events !== "object" || events === null) {
    throw invalidOption("decoratorsFor", "a catalogue made by defineEvents is needed");
  }
  return { onEvent: (patterns, options) => methodDecorator(patterns, options, events) };
}
