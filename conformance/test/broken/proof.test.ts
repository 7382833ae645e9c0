import assert from "node:assert/strict";
import { isPapaError } from "@papa-events/core";
import { describe, test } from "vitest";
import type { Description } from "../../src/description.ts";
import { NotYetEntries, nameOf } from "../../src/not-yet.ts";
import { wrapped } from "../../src/rig/wrapped.ts";
import type { RuleTest } from "../../src/rule.ts";
import { allRules } from "../../src/rules/index.ts";
import { type RuleResult, runRule } from "../../src/run-rule.ts";
import { memoryDescription } from "../memory-description.ts";
import { deadLetterFaults } from "./dead-letters.ts";
import { fleetFaults } from "./fleets.ts";
import { handlingFaults } from "./handling.ts";
import { livingFaults } from "./living.ts";
import { neighbourFaults } from "./neighbours.ts";
import { operatorFaults } from "./operators.ts";
import { publishingFaults } from "./publishing.ts";
import { retryingFaults } from "./retrying.ts";
import { routingFaults } from "./routing.ts";
import { Fault, type Variant } from "./variant.ts";

/** Shorter than a real broker's: what a broken transport never does is waited for in vain. */
const PATIENCE = 4_500;
/** How many tests of a sound transport run at once. */
const AT_ONCE = 16;

const faults = [
  ...routingFaults,
  ...fleetFaults,
  ...publishingFaults,
  ...handlingFaults,
  ...neighbourFaults,
  ...retryingFaults,
  ...deadLetterFaults,
  ...operatorFaults,
  ...livingFaults,
];

/** It sets the clock of the process, under all tests. */
const setsTheClock = ({ rule }: Variant) => rule.startsWith("L9");

describe.concurrent("the suite catches a transport that", () => {
  for (const variant of faults.filter((each) => !setsTheClock(each))) testVariant(variant);
});

describe("and, by itself, one that", () => {
  for (const variant of faults.filter(setsTheClock)) testVariant(variant);
});

function testVariant({ fault, rule, around, description }: Variant): void {
  test(`${fault} (${rule})`, async () => {
    const results = await runRules({ ...memoryDescription(around), ...description, patience: PATIENCE }, rule);
    const broken = results.flatMap((result) => (result.outcome === "broken" ? [result.error] : []));
    assert(broken.length > 0, `no test of ${rule} has failed`);
    // By what a rule says and not by an accident.
    for (const error of broken) {
      const expected = error instanceof assert.AssertionError || error instanceof Fault || isPapaError(error);
      assert(expected, String(error));
    }
  });
}

test("there are faults enough, and the wrapper they are made of breaks nothing by itself", {
  timeout: 120_000,
}, async () => {
  assert(faults.length >= 15);
  const unbroken = memoryDescription((inner) => wrapped(inner, () => ({})));
  const rules = new Set(faults.map((each) => each.rule.replace(/ .*/, "")));
  const notYet = new NotYetEntries(unbroken.notYet ?? {}, allRules);
  const sound = allRules.filter((rule) => rules.has(rule.rule) && notYet.whyNot(rule) === undefined);
  const [alone, beside] = [sound.filter((rule) => rule.alone), sound.filter((rule) => !rule.alone)];
  const results = [...(await runLimited(unbroken, beside, AT_ONCE)), ...(await runLimited(unbroken, alone, 1))];
  assert.deepEqual(
    results.flatMap((result) => (result.outcome === "broken" ? [result.error] : [])),
    [],
  );
});

function runRules(description: Description, name: string): Promise<RuleResult[]> {
  const about = allRules.filter((rule) => nameOf(rule).startsWith(`${name} `));
  return Promise.all(about.map((rule) => runRule(description, rule)));
}

/** Runs tests, so many at once: some of them measure time. */
async function runLimited(description: Description, rules: readonly RuleTest[], limit: number): Promise<RuleResult[]> {
  const waiting = [...rules];
  const results: RuleResult[] = [];
  const work = async () => {
    for (let rule = waiting.shift(); rule !== undefined; rule = waiting.shift())
      results.push(await runRule(description, rule));
  };
  await Promise.all(Array.from({ length: limit }, work));
  return results;
}
