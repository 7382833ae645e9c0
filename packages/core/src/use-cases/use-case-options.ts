import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Patterns } from "../catalogue/matching.ts";
import type { Wrap } from "../handler/handler.ts";
import type { Duration } from "../options/duration.ts";
import type { RetryDelay } from "../retry/retry-delay.ts";

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
