import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const run = promisify(execFile);

it("a bundle needs no package beside it where it imports the transports and hands them over", async () => {
  const folder = mkdtempSync(join(tmpdir(), "papa-events-bundle-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const outfile = join(folder, "bundle.mjs");
  await run(at("node_modules/.bin/bun"), [
    "build",
    at("examples/src/guide/bundled.ts"),
    "--target=node",
    `--outfile=${outfile}`,
  ]);
  const { stdout, stderr } = await run(process.execPath, [outfile], { cwd: folder });
  expect({ stdout, stderr }).toEqual({ stdout: "started and stopped\n", stderr: "" });
});
