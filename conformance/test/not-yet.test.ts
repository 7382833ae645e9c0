import assert from "node:assert/strict";
import { test } from "vitest";
import { NotYetEntries } from "../src/not-yet.ts";
import { rule } from "../src/rule.ts";

const one = rule("R1", "one thing", async () => {});
const other = rule("R1", "another thing", async () => {});
const later = rule("R10", "a later thing", async () => {});
const rules = [one, other, later];

test("an entry is about its rule's tests, or about those whose name begins like it", () => {
  const entries = new NotYetEntries({ R1: "the rule", "R1 another": "the test" }, rules);
  assert.deepEqual(
    rules.map((each) => entries.whyNot(each)),
    ["the rule", "the test", undefined],
  );
});

test("an entry fails once every test that it is about has passed, and not before", () => {
  const entries = new NotYetEntries({ R1: "why" }, rules);
  entries.passed(later);
  entries.passed(one);
  assert.throws(() => entries.passed(other), /kept by now: remove the notYet entry "R1"/);
});

test("an entry that is about no test is an error", () => {
  assert.throws(() => new NotYetEntries({ R2: "why" }, rules), /"R2" is neither a rule nor/);
});
