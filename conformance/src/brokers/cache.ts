import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where fetched brokers and kept logs are: `PAPA_EVENTS_CACHE`, else the user's cache folder. */
export function cacheFolder(...names: readonly string[]): string {
  const { PAPA_EVENTS_CACHE: own, XDG_CACHE_HOME: user } = process.env;
  const base = own || join(user || join(homedir(), ".cache"), "papa-events");
  const folder = join(base, ...names);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Tells on standard error what goes on, since it may take a while. */
export function announce(message: string): void {
  process.stderr.write(`conformance: ${message}\n`);
}
