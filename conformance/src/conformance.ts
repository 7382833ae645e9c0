import { afterAll, beforeAll, describe, type TestContext, test } from "vitest";
import type { Description } from "./description.ts";
import type { RuleTest } from "./rule.ts";
import { allRules } from "./rules/index.ts";
import { runRule } from "./run-rule.ts";

/** What the suite leaves in the `meta` of each of its tests, for reporters. */
export interface ConformanceMeta {
  readonly transport: string;
  readonly version: string;
  readonly rule: string;
  readonly title: string;
  /** How it ended; absent when it failed or did not run. */
  outcome?: "kept" | "weaker" | "not-offered";
  /** What was tested instead, or why it cannot happen. */
  note?: string;
}

declare module "vitest" {
  interface TaskMeta {
    conformance?: ConformanceMeta;
  }
}

/** Beyond any condition's own patience, so that a test tells what it waited for and not only that it took too long. */
const TIMEOUT = 120_000;

/**
 * Registers one vitest test per rule of the contract, named by the rule's id. Those that neither measure time nor break
 * the broker for others run concurrently, as many as vitest's `maxConcurrency` says.
 */
export function conformance(description: Description): void {
  const { name: transport, version } = description;
  let failed = false;
  const onFailure = () => {
    failed = true;
  };
  const register = (rules: readonly RuleTest[]) => {
    for (const rule of rules) {
      test(`${rule.rule} ${rule.title}`, { timeout: TIMEOUT }, (context) =>
        runAndTell(description, rule, context, onFailure),
      );
    }
  };
  describe(`conformance: ${transport} ${version}`, () => {
    beforeAll(() => description.setUp?.(), TIMEOUT * 5);
    afterAll(() => description.tearDown?.(failed), TIMEOUT);
    describe.concurrent("beside others", () => register(allRules.filter(({ alone }) => !alone)));
    describe("alone", { concurrent: false }, () => register(allRules.filter(({ alone }) => alone)));
  });
}

async function runAndTell(
  description: Description,
  rule: RuleTest,
  { task, annotate }: TestContext,
  onFailure: () => void,
): Promise<void> {
  const { name: transport, version } = description;
  const meta: ConformanceMeta = { transport, version, rule: rule.rule, title: rule.title };
  task.meta.conformance = meta;
  const result = await runRule(description, rule);
  if (result.outcome === "broken") {
    onFailure();
    if (result.log.length > 0) await annotate(result.log.join("\n"), "log");
    throw result.error;
  }
  const notes = result.outcome === "not-offered" ? [result.why] : result.weaker;
  meta.outcome = result.outcome === "kept" && notes.length > 0 ? "weaker" : result.outcome;
  if (notes.length > 0) {
    meta.note = notes.join("; ");
    await annotate(meta.note, meta.outcome);
  }
}
