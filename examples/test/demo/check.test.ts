import { describe, expect, it } from "vitest";
import { differences, isComplete } from "../../src/demo/check.ts";
import type { CountsByUseCase } from "../../src/demo/counts.ts";
import { expectedCounts } from "../../src/demo/expected.ts";
import { readWebhooks } from "../../src/demo/webhooks.ts";

const webhooks = readWebhooks();
const expected = expectedCounts(webhooks, 1);

/** What the files say, but for one use case. */
function butFor(useCase: string, change: Partial<CountsByUseCase[string]>): CountsByUseCase {
  const counts = expected[useCase];
  if (counts === undefined) throw new Error(`There is no use case ${useCase}`);
  return { ...expected, [useCase]: { ...counts, ...change } };
}

describe("the check of the demo", () => {
  it("finds nothing where the counts are what the files say", () => {
    expect(differences(expected, structuredClone(expected))).toEqual([]);
  });

  it.each([
    ["an event lost", butFor("audit_log", { delivered: 354 }), "audit_log: delivered 354, and the files say 355"],
    ["an event too many", butFor("triage_issues", { handled: 30 }), "triage_issues: handled 30, and the files say 29"],
    ["a retry missing", butFor("mirror_pull_requests", { retried: 28 }), "mirror_pull_requests: retried 28, and"],
    [
      "a dead letter missing",
      butFor("count_contributors", { dead: {} }),
      "count_contributors: dead (invalid-payload) 0",
    ],
    [
      "a dead letter for another reason",
      butFor("page_security", { dead: { "retries-exhausted": 13, rejected: 1 } }),
      "page_security: dead (rejected) 1, and the files say 0",
    ],
    [
      "a use case nobody expected",
      { ...expected, stray: { delivered: 1, handled: 0, retried: 0, dead: {} } },
      "stray: delivered 1",
    ],
  ])("names what is off: %s", (_, actual, line) => {
    expect(differences(expected, actual)).toEqual([expect.stringContaining(line)]);
  });

  it("waits for what is missing, not for what is too much to go away", () => {
    expect(isComplete(expected, expected)).toBe(true);
    expect(isComplete(expected, butFor("audit_log", { delivered: 356, handled: 356 }))).toBe(true);
    expect(isComplete(expected, butFor("audit_log", { delivered: 354, handled: 354 }))).toBe(false);
    expect(isComplete(expected, butFor("page_security", { dead: { "retries-exhausted": 12 } }))).toBe(false);
    expect(isComplete(expected, butFor("mirror_pull_requests", { retried: 28 }))).toBe(false);
  });

  it("names a use case that reported nothing at all", () => {
    const { audit_log: _, ...others } = expected;
    expect(differences(expected, others)).toContain("audit_log: delivered 0, and the files say 355");
  });
});

describe("what the files say", () => {
  it("there are 329 deliveries of 161 names, all fit to be published", () => {
    const names = new Set(webhooks.map(({ name }) => name));
    expect([webhooks.length, names.size]).toEqual([329, 161]);
    expect([...names].filter((name) => !/^github(\.[A-Za-z0-9_-]+){1,2}$/.test(name))).toEqual([]);
  });

  it("every use case of the demo has something to do, and some payloads lack what a schema wants", () => {
    expect(Object.values(expected).every(({ delivered }) => delivered > 0)).toBe(true);
    expect(expected.count_contributors?.dead).toEqual({ "invalid-payload": 4 });
    expect(expected.apply_triage?.handled).toBe(26);
  });
});
