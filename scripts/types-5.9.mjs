// The public types on TypeScript 5.9, as users of the published packages see them: the built declarations, with
// skipLibCheck off so that an error inside them shows, and the type tests.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const compiler = "node_modules/typescript-5.9/bin/tsc";
const projects = [
  "packages/core/test-types",
  "packages/core/test-types/inexact",
  "packages/core/test/decorators",
  "packages/core/test/decorators/standard",
  "scripts/types-of-packages",
].filter((project) => existsSync(project));
const failed = projects.filter(
  (project) => spawnSync("node", [compiler, "-p", project], { stdio: "inherit" }).status !== 0,
);
process.exit(failed.length === 0 ? 0 : 1);
