import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { type JsonLine, jsonLines } from "../../src/input/json-lines.ts";

const folder = mkdtempSync(join(tmpdir(), "papa-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(bytes: string): Promise<JsonLine[]> {
  const path = join(folder, "lines.jsonl");
  writeFileSync(path, bytes);
  const file = await open(path);
  try {
    const lines: JsonLine[] = [];
    for await (const line of jsonLines(file)) lines.push(line);
    return lines;
  } finally {
    await file.close();
  }
}

it("lines are numbered as editors do, and each has its place in the file", async () => {
  const text = `\ufeff{"a":1}\n\n{"ñ":2}\r\n{"c":"${"x".repeat(200_000)}"}`;
  const lines = await read(text);
  expect(lines.map(({ number }) => number)).toEqual([1, 3, 4]);
  const bytes = Buffer.from(text);
  for (const { offset, length, value } of lines) {
    const line = bytes
      .subarray(offset, offset + length)
      .toString()
      .replace("\ufeff", "");
    expect(JSON.parse(line)).toEqual(value);
  }
});

it.each([
  ["what is not JSON", '{"a":1}\n{"a":', "Line 2: it is not JSON"],
  ["what is no object", '{"a":1}\n\n[1]', "Line 3: a JSON object is needed"],
])("%s is named by its line", async (_what, text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});
