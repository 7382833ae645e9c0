/** A rule that a run has broken. */
export interface Violation {
  /** Of the contract, such as `H1`; `run` where the simulation itself was misused. */
  readonly rule: string;
  /** Milliseconds since the run began. */
  readonly at: number;
  readonly what: string;
}

/** Notes a violation. */
export type Report = (rule: string, what: string) => void;
