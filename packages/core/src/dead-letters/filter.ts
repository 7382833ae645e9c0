import { assertKnownOptions, invalidOption } from "../options/check-options.ts";
import { nearest } from "../options/nearest.ts";
import { assertPattern } from "../routing/pattern.ts";
import { matcherOf } from "../routing/pattern-trie.ts";
import type { DeadLetterReason } from "../wire/dead-letter.ts";
import { type DeadLetterItem, REASONS } from "./item.ts";

/** What dead letters are searched by (D6); all that is given has to be so. */
export interface DeadLetterFilter {
  /** The event's name, or a pattern that it matches. */
  readonly event?: string | undefined;
  readonly reason?: DeadLetterReason | undefined;
  /** Words of the error: what its name, message or stack has in it, upper and lower case alike. */
  readonly text?: string | undefined;
  /** Only those that became dead letters before then. */
  readonly before?: Date | undefined;
  /** Only those that became dead letters then or later. */
  readonly after?: Date | undefined;
}

const NAMES = ["event", "reason", "text", "before", "after"];

/**
 * Makes a test of a filter.
 *
 * @param where what errors name
 * @throws PapaError `invalid-option`, `invalid-pattern`
 */
export function filterOf(
  filter: DeadLetterFilter,
  where: string,
  others: readonly string[] = [],
): (item: DeadLetterItem) => boolean {
  assertKnownOptions(filter, [...NAMES, ...others], where);
  const { event, reason, text, before, after } = filter;
  const tests: ((item: DeadLetterItem) => boolean)[] = [];
  if (event !== undefined) {
    assertPattern(event);
    const matches = matcherOf([event]);
    tests.push((item) => matches(item.eventName));
  }
  if (reason !== undefined) {
    assertReason(reason, `${where}: reason`);
    tests.push((item) => item.reason === reason);
  }
  if (text !== undefined) {
    if (typeof text !== "string") throw invalidOption(`${where}: text`, "a string is needed");
    const words = text.toLowerCase();
    tests.push(({ error }) => [error.name, error.message, error.stack].some((part) => has(part, words)));
  }
  const start = timeOf(after, `${where}: after`);
  const end = timeOf(before, `${where}: before`);
  if (start !== undefined) tests.push((item) => item.lastFailedAt.getTime() >= start);
  if (end !== undefined) tests.push((item) => item.lastFailedAt.getTime() < end);
  return (item) => tests.every((test) => test(item));
}

function has(text: string, words: string): boolean {
  return text.toLowerCase().includes(words);
}

function assertReason(reason: unknown, where: string): void {
  if (typeof reason === "string" && REASONS.has(reason)) return;
  const near = typeof reason === "string" ? nearest(reason, REASONS) : undefined;
  const hint = near === undefined ? "" : `; did you mean "${near}"?`;
  throw invalidOption(where, `${JSON.stringify(reason)} is none of ${[...REASONS].join(", ")}${hint}`);
}

function timeOf(time: unknown, where: string): number | undefined {
  if (time === undefined) return undefined;
  if (time instanceof Date && !Number.isNaN(time.getTime())) return time.getTime();
  throw invalidOption(where, "a valid Date is needed");
}
