// What users install: each package packed as it would be published, checked by publint and arethetypeswrong.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "papa-events-pack-"));
let failed = false;
for (const place of [...readdirSync("packages").map((name) => join("packages", name)), "conformance"]) {
  run("npm", ["pack", "--loglevel=error", "--pack-destination", folder], place);
}
for (const tarball of readdirSync(folder)) {
  console.log(`-- ${tarball}`);
  run("publint", ["--strict", join(folder, tarball)]);
  // ESM only by decision: require() of it works from Node.js 22.12 on, which the profile accepts.
  run("attw", ["--profile", "esm-only", "--format", "ascii", "--quiet", join(folder, tarball)]);
}
rmSync(folder, { recursive: true });
process.exit(failed ? 1 : 0);

function run(command, args, cwd = ".") {
  if (spawnSync(command, args, { cwd, stdio: "inherit" }).status !== 0) failed = true;
}
