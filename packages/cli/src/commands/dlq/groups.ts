import type { DeadLetterItem } from "@papa-events/core";

/** Dead letters that failed of the same thing. */
export interface Group {
  readonly useCase: string;
  readonly reason: string;
  /** `Name: message`; where messages differ in numbers and ids only, with `<n>` and `<id>` in their place. */
  readonly error: string;
  readonly event: string;
  readonly count: number;
  readonly first: Date;
  readonly last: Date;
}

/** Errors may all be different, and are not all kept. */
const MAX_GROUPS = 1_000;
const MAX_ERROR_LENGTH = 200;
const OTHER = "(other errors)";

interface Entry {
  readonly useCase: string;
  readonly reason: string;
  readonly event: string;
  readonly pattern: string;
  error: string;
  count: number;
  first: number;
  last: number;
}

/** Groups dead letters by what they failed of, in bounded memory. */
export class Groups {
  readonly #entries = new Map<string, Entry>();

  add({ useCase, reason, eventName, error, lastFailedAt }: DeadLetterItem): void {
    const text = firstLine(`${error.name}: ${error.message}`);
    const entry = this.#entryOf(useCase, reason, eventName, text);
    const time = lastFailedAt.getTime();
    // As it was written, as long as all say the same.
    if (entry.error !== text && entry.pattern !== OTHER) entry.error = entry.pattern;
    entry.count += 1;
    entry.first = Math.min(entry.first, time);
    entry.last = Math.max(entry.last, time);
  }

  /** The largest first. */
  list(): Group[] {
    return [...this.#entries.values()]
      .sort((one, other) => other.count - one.count || other.last - one.last)
      .map(({ useCase, reason, error, event, count, first, last }) => ({
        useCase,
        reason,
        error,
        event,
        count,
        first: new Date(first),
        last: new Date(last),
      }));
  }

  #entryOf(useCase: string, reason: string, event: string, text: string): Entry {
    const pattern = patternOf(text);
    const key = JSON.stringify([useCase, reason, event, pattern]);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (pattern !== OTHER && this.#entries.size >= MAX_GROUPS) return this.#entryOf(useCase, reason, event, OTHER);
    const entry: Entry = {
      useCase,
      reason,
      event,
      pattern,
      error: text,
      count: 0,
      first: Number.POSITIVE_INFINITY,
      last: Number.NEGATIVE_INFINITY,
    };
    this.#entries.set(key, entry);
    return entry;
  }
}

function firstLine(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line.length > MAX_ERROR_LENGTH ? `${line.slice(0, MAX_ERROR_LENGTH - 1)}…` : line;
}

/** What differs from event to event in the same error: ids and numbers. */
function patternOf(text: string): string {
  return text
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "<id>")
    .replaceAll(/\b(?=[a-z]*\d)[0-9a-f]{16,}\b/gi, "<id>")
    .replaceAll(/\d+(?:\.\d+)*/g, "<n>");
}
