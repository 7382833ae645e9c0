import { PapaError } from "../errors/papa-error.ts";
import { shown } from "../errors/shown.ts";

/** @throws PapaError `invalid-option` */
export function invalidOption(option: string, problem: string): PapaError {
  return new PapaError("invalid-option", `${option}: ${problem}.`, { option, problem });
}

/**
 * Checks that `options` is an object with none but known members, so that a misspelt one is told and not ignored.
 *
 * @throws PapaError `invalid-option`
 */
export function assertKnownOptions(
  options: unknown,
  known: readonly string[],
  where: string,
): asserts options is object {
  if (typeof options !== "object" || options === null)
    throw invalidOption(where, `options are an object with ${known.join(", ")}`);
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw invalidOption(where, `"${name}" is no option; there are ${known.join(", ")}`);
  }
}

/**
 * An integer option or its default.
 *
 * @throws PapaError `invalid-option`
 */
export function integerOption(
  value: unknown,
  fallback: number,
  option: string,
  least: number,
  most = 1_000_000_000,
): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  throw invalidOption(option, `${shown(value)} is no whole number from ${least} to ${most}`);
}

/**
 * A boolean option or its default.
 *
 * @throws PapaError `invalid-option`
 */
export function booleanOption(value: unknown, fallback: boolean, option: string): boolean {
  if (value === undefined) return fallback;
  if (typeof value === "boolean") return value;
  throw invalidOption(option, `it is of type ${typeof value}, and true or false is needed`);
}

/**
 * Checks that an option is a function, where it is given.
 *
 * @throws PapaError `invalid-option`
 */
export function assertFunctionOption(value: unknown, option: string): void {
  if (value !== undefined && typeof value !== "function")
    throw invalidOption(option, `it is of type ${typeof value}, and a function is needed`);
}
