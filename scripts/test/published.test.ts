import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const repository = "https://github.com/papa-events/papa-events";
const folders = [...readdirSync("packages").map((name) => join("packages", name)), "conformance"];

/** The targets of `[text](target)` and of `[name]: target`, code aside. */
function linksIn(markdown: string): string[] {
  const text = markdown.replaceAll(/```.*?```|`[^`\n]*`/gs, "");
  return [...text.matchAll(/\]\(([^)\s]+)|^\[[^\]]+\]:\s*(\S+)/gm)].map(([, inline, named]) => `${inline ?? named}`);
}

describe.each(folders)("%s, as npm shows it", (folder) => {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const links = linksIn(readFileSync(join(folder, "README.md"), "utf8"));

  it("says where it comes from and where to report what is wrong", () => {
    expect(manifest.repository).toEqual({ type: "git", url: `git+${repository}.git`, directory: folder });
    expect(manifest.homepage).toBe(`${repository}/tree/main/${folder}#readme`);
    expect(manifest.bugs).toEqual({ url: `${repository}/issues` });
  });

  it("has no link in its README that needs the repository around it", () => {
    expect(links.filter((link) => !link.startsWith("https://") && !link.startsWith("#"))).toEqual([]);
  });

  it("links to files of the repository that exist", () => {
    const ours = links.filter((link) => link.startsWith(`${repository}/blob/main/`));
    const paths = ours.map((link) => link.slice(`${repository}/blob/main/`.length).replace(/#.*/, ""));
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });
});
