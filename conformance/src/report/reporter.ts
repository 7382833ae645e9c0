import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";
// For the type of `meta.conformance`.
import type {} from "../conformance.ts";
import { type Cell, type Column, type Report, readReport, writeReport } from "./table.ts";

export interface ConformanceReporterOptions {
  /** The document's path; `docs/conformance.md` unless set. */
  readonly file?: string | undefined;
}

/**
 * A vitest reporter that writes rule x transport x broker version to a document. A broker of which only some tests have
 * run keeps what was written of it before, as does one that has not run at all.
 */
export default class ConformanceReporter implements Reporter {
  readonly #file: string;

  constructor({ file = "docs/conformance.md" }: ConformanceReporterOptions = {}) {
    this.#file = resolve(file);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const columns = columnsOf(modules);
    if (columns.size === 0) return;
    const before = existsSync(this.#file) ? readFileSync(this.#file, "utf8") : "";
    const after = writeReport(new Map([...readReport(before), ...columns]));
    if (after !== before) writeFileSync(this.#file, after);
  }
}

function columnsOf(modules: readonly TestModule[]): Report {
  const columns = new Map<string, Column>();
  for (const module of modules) {
    for (const suite of module.children.suites()) {
      const title = /^conformance: (.*)$/.exec(suite.name)?.[1];
      if (title === undefined) continue;
      const tests = [...suite.children.allTests()];
      const whole = tests.every((test) => test.meta().conformance !== undefined);
      if (whole) columns.set(title, new Map(tests.map((test) => [test.name, cellOf(test)])));
    }
  }
  return columns;
}

function cellOf(test: TestCase): Cell {
  const { outcome, note } = test.meta().conformance ?? {};
  return outcome === undefined ? { outcome: "broken" } : { outcome, note };
}
