// The whole truth about a checkout: every check in order, stopping at the first that fails. With --all-versions the tests run
// on every version of each broker.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { "all-versions": { type: "boolean", default: false } } });
const env = values["all-versions"] ? { ...process.env, PAPA_EVENTS_ALL_VERSIONS: "1" } : process.env;
const temporary = mkdtempSync(join(tmpdir(), "papa-events-check-"));
const report = join(temporary, "vitest.json");
const reporters = ["default", "json", "./conformance/src/report/reporter.ts"].map((name) => `--reporter=${name}`);

const checks = [
  ["format, lint", "biome", ["check", "--error-on-warnings", "."]],
  ["imports between packages and folders", "depcruise", ["packages/*/src", "conformance/src"]],
  ["build", "turbo", ["run", "build", "--output-logs=errors-only"]],
  ["types of sources, tests, examples", "turbo", ["run", "types", "--output-logs=errors-only"]],
  ["types of scripts", "tsc", ["-p", "scripts/test"]],
  ["examples in documents", "node", ["scripts/sync-examples.mjs", "--check"]],
  ["options in documents", "node", ["scripts/option-tables.mjs", "--check"]],
  ["public types on TypeScript 5.4, 5.9 and 7", "node", ["scripts/public-types.mjs"]],
  ["unused files, exports, dependencies", "knip", []],
  ["10,000 seeds of the simulation", "node", ["simulation/src/main.ts"]],
  ["tests", "vitest", ["run", ...reporters, `--outputFile.json=${report}`]],
  ["packed packages", "node", ["scripts/check-packages.mjs"]],
];

const started = performance.now();
for (const [title, command, args] of checks) {
  const begun = performance.now();
  console.log(`\n== ${title}`);
  const { status, error } = spawnSync(command, args, { stdio: "inherit", env });
  if (status !== 0) fail(title, error);
  console.log(`== ${title}: ok, ${seconds(begun)}`);
}

const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
rmSync(temporary, { recursive: true });
console.log(`\nAll checks passed in ${seconds(started)}.`);
console.log(`${numPassedTests} passed, ${numFailedTests} failed`);
process.exit(numPassedTests > 0 && numFailedTests === 0 ? 0 : 1);

function fail(title, error) {
  console.error(`\n== ${title}: FAILED${error ? ` (${error.message})` : ""}`);
  process.exit(1);
}

function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
