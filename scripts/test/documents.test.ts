import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const documents = [
  "README.md",
  "CONTRIBUTING.md",
  ...globSync("docs/**/*.md"),
  ...globSync("{bench,conformance}/*.md"),
];

const read = (path: string) => readFileSync(path, "utf8");
const withoutCode = (markdown: string) => markdown.replaceAll(/^```.*?^```|`[^`\n]*`/gms, "");

/** The anchors that GitHub gives to headings. */
function anchorsOf(markdown: string): Set<string> {
  const headings = markdown.replaceAll(/^```.*?^```/gms, "").matchAll(/^#+ (.*)$/gm);
  const anchors = [...headings].map(([, text = ""]) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, ""));
  return new Set(anchors.map((anchor) => anchor.replaceAll(" ", "-")));
}

/** The links of a document that lead nowhere. */
function deadLinks(document: string): string[] {
  const targets = [...withoutCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? document : join(dirname(document), path);
    if (!existsSync(file)) return true;
    return anchor !== undefined && !anchorsOf(read(file)).has(anchor);
  });
}

describe.each(documents)("%s", (document) => {
  it("has no link that leads nowhere", () => {
    expect(deadLinks(document)).toEqual([]);
  });
});

it("CONTRIBUTING.md names each folder of core", () => {
  const folders = readdirSync("packages/core/src", { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const named = new Set(
    [...read("CONTRIBUTING.md").matchAll(/`(?:\.\.\.|packages\/core\/src)\/([a-z-]+)`/g)].map(([, name]) => name),
  );
  expect([...named].sort()).toEqual(
    folders
      .map(({ name }) => name)
      .filter((name) => readdirSync(join("packages/core/src", name)).length > 0)
      .sort(),
  );
});
