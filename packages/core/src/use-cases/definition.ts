import type { StandardSchemaV1 } from "@standard-schema/spec";
import { assertSchema } from "../catalogue/define-events.ts";
import type { Patterns } from "../catalogue/matching.ts";
import type { Catalogue, NoCatalogue } from "../catalogue/types.ts";
import { PapaError } from "../errors/papa-error.ts";
import type { Handler, Wrap } from "../handler/handler.ts";
import { assertKnownOptions, integerOption, invalidOption } from "../options/check-options.ts";
import { toMilliseconds } from "../options/duration.ts";
import { type DelayFunction, toDelayFunction } from "../retry/retry-delay.ts";
import { assertPattern } from "../routing/pattern.ts";
import { assertUseCaseName } from "../routing/use-case-name.ts";
import type { OnEventOptions, UseCaseOptions } from "./use-case-options.ts";

/** A use case, checked; what is `undefined` is the app's to say. */
export interface UseCaseDefinition {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly handler: Handler;
  readonly schema: StandardSchemaV1 | undefined;
  /** The catalogue its payloads are typed by; goes before the app's. */
  readonly catalogue: Catalogue | NoCatalogue;
  readonly wraps: readonly Wrap[];
  readonly retries: number | undefined;
  readonly retryDelay: DelayFunction | undefined;
  readonly concurrency: number | undefined;
  /** Milliseconds. */
  readonly timeout: number | undefined;
}

const HANDLING_OPTIONS = ["schema", "retries", "retryDelay", "concurrency", "timeout", "wrap"];
const OPTIONS = ["on", ...HANDLING_OPTIONS];
const ON_EVENT_OPTIONS = ["useCase", ...HANDLING_OPTIONS];

/** @throws PapaError `invalid-use-case`, `invalid-pattern`, `invalid-option` */
export function defineUseCase(
  name: string,
  options: UseCaseOptions,
  handler: Handler,
  catalogue: Catalogue | NoCatalogue,
): UseCaseDefinition {
  assertUseCaseName(name);
  const where = `useCase "${name}"`;
  assertKnownOptions(options, OPTIONS, where);
  if (typeof handler !== "function") {
    throw invalidOption(
      `${where}: handler`,
      `it is of type ${typeof handler}, and a function (payload, ctx) is needed`,
    );
  }
  if (options.schema !== undefined) assertSchema(options.schema, `${where}: schema`);
  return {
    name,
    patterns: checkedPatterns(options.on, where),
    handler,
    schema: options.schema,
    catalogue,
    wraps: checkedWraps(options.wrap, where),
    ...checkedRetry(options, where),
    concurrency:
      options.concurrency === undefined ? undefined : integerOption(options.concurrency, 0, `${where}: concurrency`, 1),
    timeout: options.timeout === undefined ? undefined : checkedTimeout(options.timeout, where),
  };
}

/**
 * What `onEvent` is called with, as a name and the options of a use case.
 *
 * @param call what an error names
 * @throws PapaError `invalid-option`
 */
export function fromOnEvent(
  call: string,
  patterns: Patterns,
  options: OnEventOptions,
): readonly [name: string, options: UseCaseOptions] {
  if (typeof options !== "object" || options === null) {
    const problem = 'the second argument is an object of options, such as { useCase: "send_welcome_email" }';
    throw invalidOption(call, problem);
  }
  if ("on" in options) throw invalidOption(call, 'it has no option "on"; the patterns are its first argument');
  const { useCase, ...handling } = options;
  // Before the name is asked for: it may be there under another one.
  assertKnownOptions(options, ON_EVENT_OPTIONS, typeof useCase === "string" ? `useCase "${useCase}"` : call);
  return [useCase, { ...handling, on: patterns }];
}

/** The retry options of an app or a use case. @throws PapaError `invalid-option` */
export function checkedRetry(
  options: Pick<UseCaseOptions, "retries" | "retryDelay">,
  where: string,
): { readonly retries: number | undefined; readonly retryDelay: DelayFunction | undefined } {
  return {
    retries: options.retries === undefined ? undefined : integerOption(options.retries, 0, `${where}: retries`, 0),
    retryDelay:
      options.retryDelay === undefined ? undefined : toDelayFunction(options.retryDelay, `${where}: retryDelay`),
  };
}

/** @throws PapaError `invalid-option` */
export function checkedWraps(wrap: Wrap | readonly Wrap[] | undefined, where: string): readonly Wrap[] {
  if (wrap === undefined) return [];
  const wraps = typeof wrap === "function" ? [wrap] : wrap;
  if (!Array.isArray(wraps) || !wraps.every((each) => typeof each === "function"))
    throw invalidOption(`${where}: wrap`, "a function (ctx, next) or a list of them is needed");
  return [...wraps];
}

function checkedPatterns(on: unknown, where: string): readonly string[] {
  const patterns = Array.isArray(on) ? on : [on];
  if (on === undefined || patterns.length === 0) {
    const problem = 'at least one pattern is needed, such as "user.created" or "user.*"';
    throw new PapaError("invalid-pattern", `${where}: ${problem}.`, { pattern: "", problem });
  }
  for (const pattern of patterns) assertPattern(pattern);
  return [...new Set(patterns as string[])];
}

function checkedTimeout(timeout: NonNullable<UseCaseOptions["timeout"]>, where: string): number {
  const milliseconds = toMilliseconds(timeout, `${where}: timeout`);
  if (milliseconds > 0) return milliseconds;
  throw invalidOption(`${where}: timeout`, "a timeout of 0 fails every handler; leave it out for none");
}
