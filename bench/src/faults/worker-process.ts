import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const FILE = fileURLToPath(new URL("worker.ts", import.meta.url));

/** A process that publishes or handles. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  /** @param hear gets each line that it says: a word and a number */
  constructor(args: readonly (string | number)[], hear: (word: string, number: number) => void) {
    this.#child = spawn(process.execPath, [FILE, ...args.map(String)], { stdio: ["ignore", "pipe", "inherit"] });
    // Not "exit": what it said last may still be in the pipe then.
    this.#closed = once(this.#child, "close");
    const { stdout } = this.#child;
    if (stdout === null) throw new Error("a process without an output");
    createInterface(stdout).on("line", (line) => {
      const [word = "", number = "0"] = line.split(" ");
      hear(word, Number(number));
    });
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#child.kill(signal);
    await this.#closed;
  }

  /** Whether it has done all that it was made for. */
  get done(): boolean {
    return this.#child.exitCode === 0;
  }
}
