import type { BrokerKind } from "../plan/plan.ts";
import type { ExplainOptions } from "./explain.ts";

/** What a thread is asked for. */
export type Request =
  /** Run seeds, all of them or up to the first that fails. */
  | {
      readonly kind: "run";
      readonly broker: BrokerKind;
      readonly from: number;
      readonly to: number;
      readonly all: boolean;
    }
  /** Run one seed, make it small if it fails, and tell what happens in it. */
  | { readonly kind: "explain"; readonly seed: number; readonly options: ExplainOptions };

/** A seed that breaks a rule. */
export interface Failure {
  readonly seed: number;
  readonly rule: string;
  readonly what: string;
}

/** What a thread answers. */
export type Answer =
  | { readonly kind: "ran"; readonly seeds: number; readonly tasks: number; readonly failures: readonly Failure[] }
  | { readonly kind: "explained"; readonly failed: boolean; readonly text: string };
