import { afterAll, beforeAll, describe, type TestContext, test } from "vitest";
import type { Description } from "./description.ts";
import { NotYetEntries, nameOf } from "./not-yet.ts";
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
  outcome?: "kept" | "weaker" | "not-offered" | "not-yet";
  /** What was tested instead, why it cannot happen, or why it is not kept yet. */
  note?: string;
}

declare module "vitest" {
  interface TaskMeta {
    conformance?: ConformanceMeta;
  }
}

/** Beyond any condition's own patience, so that a test says what it waited for and not only that it took too long. */
const TIMEOUT_MS = 120_000;
/** How many of them one after another may take long. */
const PATIENCES = 4;

/**
 * Registers one vitest test per rule of the contract, named by the rule's id. Those that neither measure time nor break
 * the broker for others run concurrently, as many as vitest's `maxConcurrency` says.
 */
export function conformance(description: Description): void {
  const { name: transport, version, patience = 0 } = description;
  const timeout = Math.max(TIMEOUT_MS, PATIENCES * patience);
  const notYet = new NotYetEntries(description.notYet ?? {}, allRules);
  let failed = false;
  const onFailure = () => {
    failed = true;
  };
  const register = (rules: readonly RuleTest[]) => {
    for (const rule of rules) {
      test(nameOf(rule), { timeout }, (context) => runAndReport(description, rule, notYet, context, onFailure));
    }
  };
  describe(`conformance: ${transport} ${version}`, () => {
    beforeAll(() => description.setUp?.(), TIMEOUT_MS * 5);
    afterAll(() => description.tearDown?.(failed), TIMEOUT_MS);
    describe.concurrent("beside others", () => register(allRules.filter(({ alone }) => !alone)));
    describe("alone", { concurrent: false }, () => register(allRules.filter(({ alone }) => alone)));
  });
}

async function runAndReport(
  description: Description,
  rule: RuleTest,
  notYet: NotYetEntries,
  { task, annotate }: TestContext,
  onFailure: () => void,
): Promise<void> {
  const { name: transport, version } = description;
  const meta: ConformanceMeta = { transport, version, rule: rule.rule, title: rule.title };
  task.meta.conformance = meta;
  const result = await runRule(description, rule);
  if (result.outcome === "broken") {
    const why = notYet.whyNot(rule);
    if (why !== undefined) {
      meta.outcome = "not-yet";
      meta.note = why;
      await annotate(`${why}: ${String(result.error)}`, meta.outcome);
      return;
    }
    onFailure();
    if (result.log.length > 0) await annotate(result.log.join("\n"), "log");
    throw result.error;
  }
  notYet.passed(rule);
  const notes = result.outcome === "not-offered" ? [result.why] : result.weaker;
  meta.outcome = result.outcome === "kept" && notes.length > 0 ? "weaker" : result.outcome;
  if (notes.length > 0) {
    meta.note = notes.join("; ");
    await annotate(meta.note, meta.outcome);
  }
}
