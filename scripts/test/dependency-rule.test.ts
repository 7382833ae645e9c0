import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const depcruise = resolve("node_modules/.bin/depcruise");
const config = ".dependency-cruiser.mjs";
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "papa-events-dependencies-"));
  copyFileSync(config, join(folder, config));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** The rules that sources break which stand in a folder that has the repository's rules and nothing else. */
function broken(sources: Readonly<Record<string, string>>): string[] {
  for (const [path, source] of Object.entries(sources)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), source);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [depcruise, "."], { cwd: folder, encoding: "utf8" });
  const rules = new Set([...stdout.matchAll(/^ *error ([a-z-]+):/gm)].map(([, rule]) => `${rule}`));
  expect(status === 0, stdout + stderr).toBe(rules.size === 0);
  return [...rules].sort();
}

const inCore = "packages/core/src/app/planted.ts";
const inMemory = "packages/transport-memory/src/consuming/planted.ts";
const inConformance = "conformance/src/rules/planted.ts";
/** What relative imports lead to. */
const others = {
  "packages/core/src/wire/encode.ts": "export {};",
  "packages/transport-memory/src/index.ts": "export {};",
  "packages/transport-amqp/src/index.ts": "export {};",
};

describe("imports between packages", () => {
  it.each([
    [inCore, "@papa-events/transport-memory", "core-imports-no-package"],
    [inCore, "@papa-events/core", "core-imports-no-package"],
    [inCore, "../../../transport-memory/src/index.ts", "core-imports-no-package"],
    [inMemory, "@papa-events/transport-amqp", "transports-import-core-only"],
    [inMemory, "@papa-events/core/src/wire/encode.ts", "transports-import-core-only"],
    [inMemory, "../../../transport-amqp/src/index.ts", "transports-import-core-only"],
    [inMemory, "../../../core/src/wire/encode.ts", "transports-import-core-only"],
    [inConformance, "@papa-events/transport-memory", "conformance-imports-core-only"],
    [inConformance, "../../../packages/transport-memory/src/index.ts", "conformance-imports-core-only"],
    [inConformance, "../../../packages/core/src/wire/encode.ts", "conformance-imports-core-only"],
  ])("refuses in %s an import of %s", (path, imported, rule) => {
    expect(broken({ ...others, [path]: `export * from "${imported}";\n` })).toEqual([rule]);
  });

  it.each([
    'export type * from "@papa-events/transport-amqp";',
    'import type { A } from "@papa-events/transport-amqp";\nexport type B = A;',
    'export const later = () => import("@papa-events/transport-amqp");',
    'import "@papa-events/transport-amqp";',
  ])("sees %s", (source) => {
    expect(broken({ [inMemory]: source })).toEqual(["transports-import-core-only"]);
  });

  it.each([
    [inCore, "../wire/encode.ts"],
    [inMemory, "@papa-events/core"],
    [inMemory, "@papa-events/core/transport"],
    [inConformance, "@papa-events/core/uri"],
  ])("allows in %s an import of %s", (path, imported) => {
    expect(broken({ ...others, [path]: `export * from "${imported}";\n` })).toEqual([]);
  });
});

describe("imports between folders", () => {
  const one = "packages/core/src/publishing/one.ts";
  const other = "packages/core/src/handling/other.ts";

  it("may go one way", () => {
    expect(broken({ [one]: 'export * from "../handling/other.ts";', [other]: "export {};" })).toEqual([]);
  });

  it("go in no circle, not through other files of the folders and not for types alone", () => {
    const sources = {
      [one]: 'export * from "../handling/other.ts";',
      [other]: "export {};",
      "packages/core/src/handling/more.ts": 'import type { A } from "../publishing/types.ts";\nexport type B = A;',
      "packages/core/src/publishing/types.ts": "export type A = 1;",
    };
    expect(broken(sources)).toEqual(["no-circles-between-folders"]);
  });

  it("go in no circle of three", () => {
    const sources = {
      [one]: 'export * from "../handling/other.ts";',
      [other]: 'export * from "../retry/third.ts";',
      "packages/core/src/retry/third.ts": 'export * from "../publishing/two.ts";',
      "packages/core/src/publishing/two.ts": "export {};",
    };
    expect(broken(sources)).toEqual(["no-circles-between-folders"]);
  });

  it("lead from the top into folders and never back", () => {
    const top = "packages/core/src/index.ts";
    expect(broken({ [top]: 'export * from "./handling/other.ts";', [other]: "export {};" })).toEqual([]);
    expect(broken({ [top]: "export {};", [other]: 'export * from "../index.ts";' })).toEqual([
      "no-circles-with-the-top",
    ]);
  });
});
