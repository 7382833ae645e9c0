import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What a program has written, and how it ended. */
export interface Run {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunOptions {
  readonly args?: readonly string[];
  /** The command that takes the file; Node.js unless set. */
  readonly runtime?: readonly [command: string, ...args: string[]];
  /** What the examples take as `BROKER_URL`; a broker in memory unless set. */
  readonly broker?: string;
  /** Called with all that has been written so far, and with what ends the program. */
  readonly onOutput?: (out: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs a file of `examples/src` as a user would, with its output in a pipe. */
export function runExample(file: string, options: RunOptions = {}): Promise<Run> {
  const { args = [], runtime = [process.execPath], broker, onOutput } = options;
  const path = fileURLToPath(new URL(`../src/${file}`, import.meta.url));
  const { BROKER_URL: _, ...others } = process.env;
  const env = broker === undefined ? others : { ...others, BROKER_URL: broker };
  const [command, ...before] = runtime;
  const child = spawn(command, [...before, path, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    // Once: a second signal would end it the hard way.
    onOutput?.(out, (signal) => child.killed || child.kill(signal));
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ out, err, code, signal }));
  });
}
