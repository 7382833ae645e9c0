import { wrongUse } from "../errors/cli-error.ts";

/**
 * Reads a whole number of one or more.
 *
 * @param option what an error names
 */
export function parseCount(text: string, option: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (value >= 1) return value;
  throw wrongUse(`${option}: ${JSON.stringify(text)} is not a whole number of 1 or more.`);
}
