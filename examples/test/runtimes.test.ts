import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { QUICK_START_LINES } from "./quick-start-lines.ts";
import { runExample } from "./run-example.ts";

/** A program of the root's `node_modules`. */
const installed = (name: string) => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));

it.each([
  ["Bun", [installed("bun"), "run"] as const],
  // All that it needs is installed: it is to fetch nothing and to leave no file of its own.
  ["Deno", [installed("deno"), "run", "--allow-all", "--no-lock", "--cached-only"] as const],
])("the quick start says the same on %s", async (_, [command, ...args]) => {
  const { out, err, code } = await runExample("quick-start.ts", { runtime: [command, ...args] });
  expect({ err, code }).toEqual({ err: "", code: 0 });
  expect(out.trimEnd().split("\n")).toEqual(QUICK_START_LINES);
});
