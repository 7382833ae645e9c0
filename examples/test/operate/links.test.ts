import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const FOLDER = new URL("../../../docs/operate/", import.meta.url);

/** What a heading is linked by, as GitHub makes it. */
function anchorOf(heading: string): string {
  const text = heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "");
  return text.trim().replaceAll(/\s/g, "-");
}

function anchorsOf(file: URL): string[] {
  return [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
}

it.each(readdirSync(FOLDER))("all links of docs/operate/%s lead somewhere", (page) => {
  const text = readFileSync(new URL(page, FOLDER), "utf8");
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
  const broken = links.filter(([, path = "", anchor]) => {
    const file = new URL(path === "" ? page : path, FOLDER);
    return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
  });
  expect(broken.map(([link]) => link)).toEqual([]);
});
