import type { Rig } from "./rig/rig.ts";

/** A test of one rule of the contract. */
export interface RuleTest {
  /** The rule's id, such as `"R1"`. */
  readonly rule: string;
  /** What the rule says here; with the id it is the test's name. */
  readonly title: string;
  /** Whether it runs by itself, because it measures time or breaks the broker for all. */
  readonly alone: boolean;
  readonly run: (rig: Rig) => Promise<void>;
}

/** A test that runs beside others. */
export function rule(id: string, title: string, run: (rig: Rig) => Promise<void>): RuleTest {
  return { rule: id, title, alone: false, run };
}

/** A test that runs by itself. */
export function ruleAlone(id: string, title: string, run: (rig: Rig) => Promise<void>): RuleTest {
  return { rule: id, title, alone: true, run };
}

/** Thrown to end a test of something that the description says cannot happen; the report says why. */
export class NotOffered extends Error {
  constructor(why: string) {
    super(why);
    this.name = "NotOffered";
  }
}
