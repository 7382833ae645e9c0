import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Ran } from "./papa.ts";

const BIN = fileURLToPath(new URL("../../dist/bin.js", import.meta.url));

/** How the built command is run. */
export interface BinOptions {
  readonly broker?: string | undefined;
  readonly stdin?: string | undefined;
  /** Called with all that the streams have so far. */
  readonly onOutput?: ((text: string, child: ChildProcess) => void) | undefined;
}

/** Runs the built command in a process of its own, as a user would. */
export function bin(args: readonly string[], { broker, stdin = "", onOutput }: BinOptions = {}): Promise<Ran> {
  const { PAPA_BROKER_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [BIN, ...args], {
    env: broker === undefined ? env : { ...env, PAPA_BROKER_URL: broker },
  });
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      written[name] += chunk;
      onOutput?.(written.stdout + written.stderr, child);
    });
  }
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, ...written }));
  });
}
