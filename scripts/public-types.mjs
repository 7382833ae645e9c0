// The public types on the compilers that users have, as they see the published packages: the built declarations, with
// skipLibCheck off in types-of-packages so that an error inside them shows, and the tests of core's types.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

const compilers = ["typescript-5.4", "typescript-5.9", "typescript"];
const withoutNullChecks = ["--strict", "true", "--strictNullChecks", "false", "--experimentalDecorators"];

/** What every compiler checks. */
const everywhere = [
  { project: "packages/core/test-types" },
  { project: "packages/core/test-types/inexact" },
  { project: "packages/core/test-types/loose" },
  { project: "packages/core/test-types/loose", options: withoutNullChecks },
  { project: "scripts/types-of-packages" },
  { project: "scripts/types-of-packages", options: ["--strict", "false", "--exactOptionalPropertyTypes", "false"] },
];
/** These use options of tsconfig.base.json, which the oldest does not know; turbo checks them on the newest. */
const only = {
  "typescript-5.9": [
    { project: "packages/core/test/decorators" },
    { project: "packages/core/test/decorators/standard" },
  ],
};

const runs = compilers.flatMap((compiler) =>
  [...everywhere, ...(only[compiler] ?? [])].map((run) => ({ compiler, options: [], ...run })),
);
const waiting = [...runs];
let failed = 0;
await Promise.all(Array.from({ length: availableParallelism() }, work));
console.log(`TypeScript ${compilers.map(versionOf).join(", ")}: ${runs.length} runs, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function work() {
  for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
    const { code, output } = await check(run);
    if (code === 0) continue;
    failed += 1;
    console.error(`-- TypeScript ${versionOf(run.compiler)}: -p ${[run.project, ...run.options].join(" ")}\n${output}`);
  }
}

function check({ compiler, project, options }) {
  return new Promise((done) => {
    const child = spawn(process.execPath, [`node_modules/${compiler}/bin/tsc`, "-p", project, ...options]);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    child.on("close", (code) => done({ code, output }));
  });
}

function versionOf(compiler) {
  return JSON.parse(readFileSync(`node_modules/${compiler}/package.json`, "utf8")).version;
}
