import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { InputFor, Patterns } from "../catalogue/matching.ts";
import type { Catalogue, NoCatalogue } from "../catalogue/types.ts";
import type { EventContext } from "../handling/event-context.ts";
import type { Handler, HandlerFor, OutputEvent, Wrap } from "../handling/handler.ts";
import type { Duration } from "../retry/duration.ts";
import type { RetryDelay } from "../retry/retry-delay.ts";
import { defineUseCase, type UseCaseDefinition } from "./definition.ts";
import { runAlone } from "./run-alone.ts";

/** How a use case handles its events. */
export interface HandlingOptions<S extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined> {
  /** Any Standard Schema; the handler gets its output, and a payload it refuses becomes a dead letter (H5). */
  readonly schema?: S | undefined;
  /** Redeliveries after the first attempt (T1); the app's, or 5, unless set. */
  readonly retries?: number | undefined;
  /** How long a failed event waits (T2); the app's, or 10 s, unless set. */
  readonly retryDelay?: RetryDelay | undefined;
  /** The most handler calls at once in this instance (H2); the app's, or 20, unless set. */
  readonly concurrency?: number | undefined;
  /** How long a handler may take before it counts as failed and its signal aborts (H7); unlimited unless set. */
  readonly timeout?: Duration | undefined;
  /** Around the handler, the first outermost; inside the app's. */
  readonly wrap?: Wrap | readonly Wrap[] | undefined;
}

/** The options of {@link useCase}. */
export interface UseCaseOptions<
  P extends Patterns = Patterns,
  S extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
> extends HandlingOptions<S> {
  /** The pattern or patterns of the events it reacts to. */
  readonly on: P;
}

/** The options of `PapaApp.onEvent`. */
export interface OnEventOptions<S extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined>
  extends HandlingOptions<S> {
  /** The use case's name; it names its queue. */
  readonly useCase: string;
}

/** What {@link UseCase.handle} is given of a context; the rest has defaults. */
export type PartialContext = { readonly [K in Exclude<keyof EventContext, "payload">]?: EventContext[K] | undefined };

/** A reaction to events as a value: shared by apps, on any broker, and tested without one. */
export class UseCase<Input = unknown> {
  readonly name: string;
  readonly patterns: readonly string[];
  /** @internal */
  readonly definition: UseCaseDefinition;

  /** @internal Made by {@link useCase}. */
  constructor(definition: UseCaseDefinition) {
    this.name = definition.name;
    this.patterns = definition.patterns;
    this.definition = definition;
  }

  /**
   * Runs the handler once as a delivery would, without an app: the payload goes through the schema, wraps run
   * around the handler, and what it returns is checked. For tests.
   *
   * @param context what the handler shall see; the event's name is the first pattern's unless given
   * @returns the events to be published
   * @throws PapaError `invalid-payload`, `invalid-output`; and whatever the handler throws
   */
  handle(payload: Input, context?: PartialContext): Promise<readonly OutputEvent[]> {
    return runAlone(this.definition, payload, context ?? {});
  }
}

/**
 * A use case as a value, for `app.use(...)`.
 *
 * @throws PapaError `invalid-use-case`, `invalid-pattern`, `invalid-option`
 * @example
 * export const sendWelcome = useCase("send_welcome", { on: "user.created", schema: User }, async (user) => {
 *   await mail(user.address);
 * });
 */
export function useCase<const P extends Patterns, S extends StandardSchemaV1 | undefined = undefined>(
  name: string,
  options: UseCaseOptions<P, S>,
  handler: NoInfer<HandlerFor<NoCatalogue, P, S>>,
): UseCase<InputFor<NoCatalogue, P, S>> {
  return makeUseCase(name, options, handler, undefined);
}

/** A use case whose catalogue, if any, has been checked by types. */
export function makeUseCase<I>(
  name: string,
  options: UseCaseOptions,
  handler: unknown,
  catalogue: Catalogue | NoCatalogue,
): UseCase<I> {
  return new UseCase<I>(defineUseCase(name, options, handler as Handler, catalogue));
}
