import type { Description } from "./description.ts";
import { Rig } from "./rig/rig.ts";
import { NotOffered, type RuleTest } from "./rule.ts";

/** How a test of a rule ended. */
export type RuleResult =
  /** `weaker` says what was tested instead where the transport does not claim the rule in full. */
  | { readonly outcome: "kept"; readonly weaker: readonly string[] }
  /** It cannot happen on this broker, and `why`. */
  | { readonly outcome: "not-offered"; readonly why: string }
  | { readonly outcome: "broken"; readonly error: unknown; readonly log: readonly string[] };

/** Runs one test on a namespace of its own. Needs no test runner. */
export async function runRule(description: Description, { run }: RuleTest): Promise<RuleResult> {
  const rig = new Rig(description);
  let result: RuleResult;
  try {
    await description.prepare?.(rig.namespace);
    await run(rig);
    result = { outcome: "kept", weaker: rig.weaker };
  } catch (error) {
    result =
      error instanceof NotOffered
        ? { outcome: "not-offered", why: error.message }
        : { outcome: "broken", error, log: rig.log.trouble() };
  }
  try {
    await rig.close();
  } catch (error) {
    if (result.outcome === "kept") result = { outcome: "broken", error, log: rig.log.trouble() };
  }
  return result;
}
