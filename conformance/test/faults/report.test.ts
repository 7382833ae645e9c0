import assert from "node:assert/strict";
import { test } from "vitest";
import type { Count } from "../../src/faults/counting/count.ts";
import { documentOf } from "../../src/faults/counting/report.ts";

test("a document keeps the brokers and scenarios that did not run", () => {
  const first = documentOf("", new Map([["b", [counted("one", 1), counted("two", 2)]]]));
  const second = documentOf(first, new Map([["a", [counted("one", 3)]]]));
  const third = documentOf(second, new Map([["b", [counted("two", 4)]]]));
  const both = new Map([
    ["b", [counted("one", 1), counted("two", 4)]],
    ["a", [counted("one", 3)]],
  ]);
  assert.equal(third, documentOf("", both));
  assert.match(third, /## a\n[^#]*one[^#]* 3 [^#]*- one: as is; \*\*3 lost\*\*\n\n## b\n/);
});

test("a document of a version before keeps what it has of today's columns", () => {
  const before =
    "# Faults\n\n## b\n\n| scenario | old | lost |\n| --- | --: | --: |\n| one | 5 | 7 |\n\n- one: as was\n";
  const after = documentOf(before, new Map([["b", [counted("two", 1)]]]));
  assert.match(after, /\| one +\| +- \| +- \| +- \| +- \| +7 \|/);
  assert.match(after, /- one: as was\n- two: as is/);
});

function counted(scenario: string, lost: number): Count {
  const nothing = {
    confirmed: 0,
    handled: 0,
    dead: 0,
    lostOutputs: 0,
    duplicateOutputs: 0,
    outputsAlone: 0,
    seconds: 0,
  };
  return {
    ...nothing,
    ...{ scenario, what: "as is", times: 1, lost, shares: [50, 50], notes: [], problems: [`${lost} lost`] },
    repeats: { kill: 0, lostReply: 0, takeOver: 0 },
    peakMemory: { publish: 0, handle: 0 },
  };
}
