import { readFileSync } from "node:fs";

/** The version of the package, as its manifest beside the built files has it. */
export function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}
