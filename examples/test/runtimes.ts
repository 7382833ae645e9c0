import { fileURLToPath } from "node:url";

type Command = readonly [command: string, ...args: string[]];

/** A program of the root's `node_modules`. */
const installed = (name: string) => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));

/** What else runs the library, and the command that takes a file. */
export const OTHER_RUNTIMES: readonly (readonly [name: string, command: Command])[] = [
  ["Bun", [installed("bun"), "run"]],
  // All that it needs is installed: it is to fetch nothing and to leave no file of its own.
  ["Deno", [installed("deno"), "run", "--allow-net", "--allow-env", "--allow-read", "--no-lock", "--cached-only"]],
];
