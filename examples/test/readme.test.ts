import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const at = (...path: string[]) => join(root, ...path);
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "papa-events-empty-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** The code blocks of the README's "Try it", in their order. */
function tryIt(): { readonly language: string; readonly text: string }[] {
  const section = readFileSync(at("README.md"), "utf8")
    .split(/^## /m)
    .find((each) => each.startsWith("Try it"));
  const blocks = (section ?? "").matchAll(/^```(\w+)\n(.*?)^```/gms);
  return [...blocks].map(([, language = "", text = ""]) => ({ language, text }));
}

/** Runs a program in the folder, and gives what it prints. */
async function run(command: string, args: readonly string[]): Promise<string> {
  const { BROKER_URL: _, ...env } = process.env;
  return (await promisify(execFile)(command, args, { cwd: folder, env })).stdout;
}

/** What npm is given in place of a package's name: ours as they would be published, others as they are installed here. */
async function packed(name: string): Promise<string> {
  if (!name.startsWith("@papa-events/")) {
    const { version } = JSON.parse(readFileSync(at("node_modules", name, "package.json"), "utf8")) as {
      version: string;
    };
    return `${name}@${version}`;
  }
  const place = at("packages", name.replace("@papa-events/", ""));
  await run("npm", ["pack", "--loglevel=error", "--pack-destination", folder, place]);
  const file = readdirSync(folder).find((each) => each.startsWith(`${name.slice(1).replace("/", "-")}-`));
  return join(folder, `${file}`);
}

it("what the README says to try works in an empty folder, and prints what it says", async () => {
  const printed: string[] = [];
  for (const { language, text } of tryIt()) {
    if (language === "ts") writeFileSync(join(folder, "app.mjs"), text);
    if (language === "text") expect(printed.at(-1)).toBe(text);
    if (language !== "sh") continue;
    for (const [program = "", ...args] of text
      .trim()
      .split("\n")
      .map((line) => line.split(" "))) {
      if (program === "node") printed.push(await run(process.execPath, args));
      else if (args[0] === "install") {
        const names = await Promise.all(args.slice(1).map(packed));
        // What npm has downloaded before needs no network.
        await run(program, ["install", "--prefer-offline", "--loglevel=error", ...names]);
      } else await run(program, args);
    }
  }
  expect(printed).toHaveLength(1);
});
