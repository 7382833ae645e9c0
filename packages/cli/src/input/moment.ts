import { wrongUse } from "../errors/cli-error.ts";

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const AGO = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * Reads a moment: so long ago (`2h`, `3d`), a date or a time. Without a zone it is UTC, as are all times that are printed.
 *
 * @param option what an error names
 */
export function parseMoment(text: string, option: string, now = Date.now()): Date {
  const moment = new Date(millisecondsOf(text.trim(), now));
  if (!Number.isNaN(moment.getTime())) return moment;
  throw wrongUse(
    `${option}: ${JSON.stringify(text)} is not a valid time.`,
    "Give a duration that has passed since, such as 30m, 2h or 3d, or a time, such as 2026-01-31 or 2026-01-31T09:30Z.",
  );
}

/** Far longer than anybody waits for the next look, and far shorter than what timers take for no time at all. */
const MAX_SPAN_MS = UNITS.d;

/**
 * Reads a duration of a day at most, in milliseconds.
 *
 * @param option what an error names
 */
export function parseSpan(text: string, option: string): number {
  const milliseconds = spanOf(text.trim());
  if (milliseconds !== undefined && milliseconds > 0 && milliseconds <= MAX_SPAN_MS) return milliseconds;
  throw wrongUse(`${option}: ${JSON.stringify(text)} is not a valid duration.`, "Give one such as 500ms, 2s or 1m.");
}

function millisecondsOf(text: string, now: number): number {
  const span = spanOf(text);
  if (span !== undefined) return now - span;
  if (DATE.test(text)) return Date.parse(`${text}T00:00:00Z`);
  const time = TIME.exec(text);
  if (time === null) return Number.NaN;
  return Date.parse(`${text.replace(" ", "T")}${time[1] === undefined ? "Z" : ""}`);
}

function spanOf(text: string): number | undefined {
  const found = AGO.exec(text);
  if (found === null) return undefined;
  return Number(found[1]) * UNITS[found[2] as keyof typeof UNITS];
}
