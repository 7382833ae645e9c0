const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** How long ago, for people: `3 d ago`. */
export function ago(time: Date, now = Date.now()): string {
  const passed = now - time.getTime();
  if (Number.isNaN(passed)) return "-";
  for (const [unit, length] of UNITS) {
    if (passed >= length) return `${Math.floor(passed / length)} ${unit} ago`;
  }
  return "now";
}

/** A time as ISO 8601, and `-` where there is none. */
export function iso(time: Date | undefined): string {
  return time === undefined || Number.isNaN(time.getTime()) ? "-" : time.toISOString();
}

/** A number with its thousands apart. */
export function number(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1 dead letter`, `2,000 dead letters`. */
export function count(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** The most ranges that are listed. */
const MAX_RANGES = 10;

/** The numbers of lines in their order, in short: `1, 3-5 and 4 more`. */
export function ranges(numbers: readonly number[]): string {
  const found: [number, number][] = [];
  for (const each of numbers) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === each - 1) last[1] = each;
    else found.push([each, each]);
  }
  const listed = found.slice(0, MAX_RANGES);
  const rest = numbers.length - listed.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  const text = listed.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(", ");
  return rest === 0 ? text : `${text} and ${number(rest)} more`;
}
