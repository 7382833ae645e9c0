/** A fault that is put into the code under test to prove that the simulation finds it. */
export interface PlantedFault {
  /** What goes wrong. */
  readonly name: string;
  /** The rules of which the first breach gives it away; `run` where a run must not be so. */
  readonly rules: readonly string[];
  /** From the repository's root. */
  readonly file: string;
  /** What it replaces; there is it exactly once. */
  readonly find: string;
  readonly replace: string;
}
