import { AssertionError } from "node:assert";
import type { RuleTest } from "./rule.ts";

/** What a transport says it does not keep yet, by rule or by the beginning of a test's name. */
export type NotYet = Readonly<Record<string, string>>;

interface Entry {
  readonly key: string;
  readonly why: string;
  /** The tests that it is about. */
  readonly tests: number;
  passed: number;
}

/** The name of a rule's test. */
export function nameOf({ rule, title }: Pick<RuleTest, "rule" | "title">): string {
  return `${rule} ${title}`;
}

/**
 * Knows which tests may fail, and sees to it that what is kept by now is not called missing: an entry of which every test
 * passes is an error.
 */
export class NotYetEntries {
  readonly #entries: readonly Entry[];

  /** @throws Error for an entry that is about no test */
  constructor(notYet: NotYet, rules: readonly RuleTest[]) {
    this.#entries = Object.entries(notYet).map(([key, why]) => {
      const tests = rules.filter((rule) => isAbout(key, nameOf(rule))).length;
      if (tests === 0) throw new Error(`notYet: "${key}" is neither a rule nor the beginning of a test's name.`);
      return { key, why, tests, passed: 0 };
    });
  }

  /** Why a test may fail, if it may. */
  whyNot(rule: RuleTest): string | undefined {
    return this.#find(rule)?.why;
  }

  /** Notes that a test has passed. @throws AssertionError when all of its entry's tests have */
  passed(rule: RuleTest): void {
    const entry = this.#find(rule);
    if (entry === undefined) return;
    entry.passed += 1;
    if (entry.passed < entry.tests) return;
    throw new AssertionError({ message: `The rule is kept by now: remove the notYet entry "${entry.key}".` });
  }

  /** The longest key says the most. */
  #find(rule: RuleTest): Entry | undefined {
    const name = nameOf(rule);
    const about = this.#entries.filter(({ key }) => isAbout(key, name));
    return about.sort((a, b) => b.key.length - a.key.length)[0];
  }
}

function isAbout(key: string, name: string): boolean {
  return name === key || name.startsWith(key.includes(" ") ? key : `${key} `);
}
