import type { BrokerKind } from "../plan/plan.ts";

/** A fault that is put into the code under test to prove that the simulation finds it. */
export interface PlantedFault {
  /** What goes wrong. */
  readonly name: string;
  /** The rules of which the first breach gives it away; `run` where a run must not be so. */
  readonly rules: readonly string[];
  /** Over which transport it shows: the memory transport unless given. */
  readonly broker?: BrokerKind | undefined;
  /** Whether it takes too many seeds to be looked for in each check. */
  readonly rare?: boolean | undefined;
  /** From the repository's root. */
  readonly file: string;
  /** What it replaces; there is it exactly once. */
  readonly find: string;
  readonly replace: string;
}
