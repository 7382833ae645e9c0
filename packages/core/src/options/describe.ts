import { shown } from "../errors/shown.ts";

/** Describes an option's value for an error: a string in quotes, so that `"5"` is told from 5. Never throws. */
export function describe(value: unknown): string {
  if (typeof value === "string") return `the string ${JSON.stringify(value)}`;
  if (value === null) return "null";
  return typeof value === "object" || typeof value === "function" ? `a value of type ${typeof value}` : shown(value);
}
