export { type ConformanceMeta, conformance } from "./conformance.ts";
export type {
  Deletions,
  Description,
  Faults,
  Offered,
  OutsideEvent,
  ProgramAccess,
  RefusedStart,
} from "./description.ts";
export { type Proxied, type ProxiedOptions, proxied } from "./proxied.ts";
export type { RuleTest } from "./rule.ts";
export { allRules } from "./rules/index.ts";
export { type RuleResult, runRule } from "./run-rule.ts";
