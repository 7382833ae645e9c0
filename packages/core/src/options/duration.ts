import { PapaError } from "../errors/papa-error.ts";
import { describe } from "./describe.ts";

/** Milliseconds, or a number with its unit: `"250ms"`, `"10s"`, `"5m"`, `"2h"`. */
export type Duration = number | DurationText;

/** A duration as text, checked at compile time for its unit. */
export type DurationText = `${number}${keyof typeof UNITS}`;

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The longest delay a Node.js timer can wait (2^31 - 1 ms, 24.8 days); a longer one would fire at once. */
export const MAX_DURATION = 2_147_483_647;

const TEXT = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

/**
 * Reads a duration that comes from outside the program, such as the environment.
 *
 * @returns milliseconds
 * @throws PapaError `invalid-option`
 * @example new PapaApp({ transport, retryDelay: parseDuration(process.env.RETRY_DELAY ?? "10s") });
 */
export function parseDuration(text: string): number {
  return toMilliseconds(text as DurationText, "duration");
}

/**
 * Converts a duration to milliseconds.
 *
 * @param option what an error names
 * @throws PapaError `invalid-option`
 */
export function toMilliseconds(duration: Duration, option: string): number {
  const milliseconds = typeof duration === "number" ? duration : readText(duration);
  if (!(milliseconds >= 0 && milliseconds <= MAX_DURATION)) {
    const problem = `${describe(duration)} is not a valid duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days`;
    throw new PapaError("invalid-option", `${option}: ${problem}.`, { option, problem });
  }
  return milliseconds;
}

function readText(text: unknown): number {
  const found = typeof text === "string" ? TEXT.exec(text.trim()) : null;
  return found === null ? Number.NaN : Number(found[1]) * UNITS[found[2] as keyof typeof UNITS];
}
