import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type Compiled, compile, compilers } from "./compilers.ts";

const folder = fileURLToPath(new URL("../../test-types/messages/", import.meta.url));

/** What a `// says:` expects of the first line below it that is no comment. */
interface Expected {
  readonly line: number;
  readonly says: string;
}

function expectedIn(file: string): readonly Expected[] {
  const lines = readFileSync(join(folder, file), "utf8").split("\n");
  return lines.flatMap((text, index) => {
    const says = /^\s*\/\/ says: (.*)$/.exec(text)?.[1];
    if (says === undefined) return [];
    const below = lines.findIndex((other, at) => at > index && !other.trim().startsWith("//"));
    return [{ line: below + 1, says }];
  });
}

const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));

describe.each(compilers)("the words of compile-time errors on %s", (compiler) => {
  let compiled: Promise<Compiled> | undefined;

  test.each(files)("%s", async (file) => {
    compiled ??= compile(compiler, folder);
    const { diagnostics } = await compiled;
    const told = diagnostics.filter((diagnostic) => diagnostic.file === file);
    const expected = expectedIn(file);
    for (const { line, says } of expected) {
      const there = told.filter((diagnostic) => diagnostic.line === line).map(({ text }) => text);
      expect(there.join("\n"), `${file}:${line}`).toContain(says);
    }
    const lines = new Set(expected.map(({ line }) => line));
    expect(told.filter(({ line }) => !lines.has(line))).toEqual([]);
  });

  test("nothing is said of other files", async () => {
    compiled ??= compile(compiler, folder);
    expect((await compiled).diagnostics.filter(({ file }) => !files.includes(file))).toEqual([]);
  });
});
