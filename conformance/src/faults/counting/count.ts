import type { Repeats } from "./ledger.ts";

/** What a scenario counted. */
export interface Count {
  readonly scenario: string;
  readonly what: string;
  /** How often it went wrong. */
  readonly times: number;
  readonly confirmed: number;
  readonly handled: number;
  /** Confirmed, and neither handled nor a dead letter. */
  readonly lost: number;
  /** Dead letters, though no handler failed more than once. */
  readonly dead: number;
  /** Handled, and the output is lost. */
  readonly lostOutputs: number;
  /** Handled again, by cause. */
  readonly repeats: Repeats;
  readonly duplicateOutputs: number;
  /** Those of them whose event was handled once. */
  readonly outputsAlone: number;
  /** Which part each handling process had, in percent. */
  readonly shares: readonly number[];
  readonly seconds: number;
  /** The most memory of a publishing and of a handling process, in bytes. */
  readonly peakMemory: { readonly publish: number; readonly handle: number };
  readonly notes: readonly string[];
  /** What breaks a promise; empty when all are kept. */
  readonly problems: readonly string[];
}
