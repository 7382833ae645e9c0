import { spawnSync } from "node:child_process";

/** Runs a file of this folder in a process of its own, and gives the JSON that it prints. @param what it measures, in words */
export function inOwnProcess<T>(what: string, args: readonly string[]): T {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`The measurement of ${what} failed:\n${stderr}`);
  return JSON.parse(stdout) as T;
}

/** A logger for apps that are measured: nothing but errors. */
export const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: console.error };
