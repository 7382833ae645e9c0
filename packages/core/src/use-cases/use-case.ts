import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { InputFor, Patterns } from "../catalogue/matching.ts";
import type { Catalogue, NoCatalogue } from "../catalogue/types.ts";
import type { Handler, HandlerFor } from "../handler/handler.ts";
import type { OutputEvent } from "../publishing/output-event.ts";
import { defineUseCase, type UseCaseDefinition } from "./definition.ts";
import { type PartialContext, runAlone } from "./run-alone.ts";
import type { UseCaseOptions } from "./use-case-options.ts";

/** A reaction to events as a value: shared by apps, on any broker, and tested without one. */
export class UseCase<Input = unknown> {
  /** Names its queue too. */
  readonly name: string;
  /** The patterns of the events it reacts to, each once. */
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
   * @param context what the handler sees; the event's name is the first pattern's unless given
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
