import { PapaError } from "../errors/papa-error.ts";
import { describe } from "./describe.ts";
import { nearest } from "./nearest.ts";

/** Makes an `invalid-option` error. */
export function invalidOption(option: string, problem: string): PapaError {
  return new PapaError("invalid-option", `${option}: ${problem}.`, { option, problem });
}

/**
 * Checks that `options` is an object with none but known members, so that a misspelt one is an error and not ignored.
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
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const hint = near === undefined ? `there are ${known.join(", ")}` : `the nearest known one is "${near}"`;
    throw invalidOption(where, `unknown option "${name}"; ${hint}`);
  }
}

/**
 * Reads an integer option, or gives its default.
 *
 * @throws PapaError `invalid-option`
 */
export function integerOption(
  value: unknown,
  fallback: number,
  option: string,
  min: number,
  max = 1_000_000_000,
): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw invalidOption(option, `${describe(value)} is not a whole number from ${min} to ${max}`);
}

/**
 * Reads a boolean option, or gives its default.
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
