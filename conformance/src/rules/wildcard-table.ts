import assert from "node:assert/strict";
import { Calls } from "../rig/calls.ts";
import type { Rig } from "../rig/rig.ts";
import { sorted } from "./events.ts";
import { matches } from "./matches.ts";
import { seededRandom } from "./seeded-random.ts";

const WORDS = 4;
const SEED = 20_260_101;
const LAST = "end-of-the-table";

/** All sequences of 1 to `WORDS` words of an alphabet. */
function sequences(alphabet: readonly string[]): string[] {
  let longest = [...alphabet];
  const all = [...longest];
  for (let words = 2; words <= WORDS; words += 1) {
    longest = longest.flatMap((text) => alphabet.map((word) => `${text}.${word}`));
    all.push(...longest);
  }
  return all;
}

/** 340 patterns and 30 names: 10,200 pairs. */
const PATTERNS = sequences(["a", "b", "*", "#"]);
const NAMES = sequences(["a", "b"]);

/** A use case per pattern in one app, every name published once, and each use case's calls compared with the reference. */
export async function wildcardTable(rig: Rig): Promise<void> {
  const pairs = rig.description.wildcardPairs ?? 1_000;
  const patterns = pairs === "all" ? PATTERNS : sample(PATTERNS, Math.ceil(pairs / NAMES.length));
  const app = rig.app();
  const table = patterns.map((pattern, index) => {
    const calls = new Calls();
    app.onEvent([pattern, LAST], { useCase: `pattern_${index}` }, calls.handler);
    return { pattern, calls, expected: NAMES.filter((name) => matches(pattern, name)) };
  });
  await app.start();
  await Promise.all(NAMES.map((name) => app.newEvent(name, {})));
  await app.newEvent(LAST, {});
  await rig.until("every use case has what it should get", () =>
    table.every(({ calls, expected }) => calls.count >= expected.length + 1),
  );
  await rig.untilEmpty(app);
  const wrong = table.filter(({ calls, expected }) => {
    const names = calls.names.filter((name) => name !== LAST);
    return sorted(names).join() !== sorted(expected).join();
  });
  const examples = wrong.slice(0, 5).map(({ pattern, calls, expected }) => ({ pattern, got: calls.names, expected }));
  assert.equal(
    wrong.length,
    0,
    `${wrong.length} of ${patterns.length} patterns are wrong: ${JSON.stringify(examples)}`,
  );
  assert(table.length * NAMES.length >= (pairs === "all" ? 10_200 : pairs));
}

/** The shortest patterns, where most matchers go wrong, and others by chance, the same in each run. */
function sample(patterns: readonly string[], count: number): string[] {
  const random = seededRandom(SEED);
  const chosen = new Set(["#", "*", "a.#", "#.a", "*.#", "#.#", "a.#.b"]);
  while (chosen.size < Math.min(count, patterns.length)) {
    const pattern = patterns[Math.floor(random() * patterns.length)];
    if (pattern !== undefined) chosen.add(pattern);
  }
  return [...chosen];
}
