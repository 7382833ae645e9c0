import type { RuleTest } from "../rule.ts";
import { crashLoops } from "./crash-loops.ts";
import { deadLetterRules } from "./dead-letters.ts";
import { handling } from "./handling.ts";
import { living, restarts } from "./living.ts";
import { outputs } from "./outputs.ts";
import { publishing } from "./publishing.ts";
import { retrying } from "./retrying.ts";
import { rolling } from "./rolling.ts";
import { routing } from "./routing.ts";

/** Every test of the suite, in the order of the contract. */
export const allRules: readonly RuleTest[] = [
  ...routing,
  ...rolling,
  ...publishing,
  ...handling,
  ...outputs,
  ...retrying,
  ...crashLoops,
  ...deadLetterRules,
  ...living,
  ...restarts,
].sort((a, b) => order(a.rule) - order(b.rule));

function order(rule: string): number {
  return "RPHTDL".indexOf(rule.charAt(0)) * 10 + Number(rule.slice(1));
}
