import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const biome = resolve("node_modules/.bin/biome");
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "papa-events-lint-"));
  copyFileSync("biome.json", join(folder, "biome.json"));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** What Biome says of a source that stands at `path`, in a folder that has the repository's rules and nothing else. */
function lint(path: string, source: string) {
  mkdirSync(join(folder, dirname(path)), { recursive: true });
  writeFileSync(join(folder, path), source);
  const args = ["lint", "--error-on-warnings", "--vcs-enabled=false", path];
  const { status, stdout, stderr } = spawnSync(biome, args, { cwd: folder, encoding: "utf8" });
  return { refused: status !== 0, output: stdout + stderr };
}

const inCore = "packages/core/src/planted.ts";
const inMemory = "packages/transport-memory/src/planted.ts";

describe("the dependency rule", () => {
  it.each([
    [inCore, "@papa-events/transport-memory"],
    [inCore, "../../transport-memory/src/index.ts"],
    [inMemory, "@papa-events/transport-amqp"],
    [inMemory, "../../transport-amqp/src/index.ts"],
    [inMemory, "../../core/src/wire/encode.ts"],
  ])("refuses in %s an import of %s", (path, imported) => {
    const { refused, output } = lint(path, `export * from "${imported}";\n`);
    expect(output).toContain("noRestrictedImports");
    expect(refused).toBe(true);
  });

  it.each([
    [inCore, "../wire/encode.ts"],
    [inMemory, "@papa-events/core"],
    [inMemory, "@papa-events/core/transport"],
  ])("allows in %s an import of %s", (path, imported) => {
    const { refused, output } = lint(path, `export * from "${imported}";\n`);
    expect(output).not.toContain("noRestrictedImports");
    expect(refused).toBe(false);
  });
});
