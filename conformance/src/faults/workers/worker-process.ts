import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Order } from "./order.ts";

const MAIN = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));

/** A worker as its parent has it. */
export class WorkerProcess {
  /** Its number in the run. */
  readonly id: number;
  /** The memory that it last reported, and the most, in bytes. */
  memory = 0;
  peakMemory = 0;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #ended = false;

  /**
   * Resolves when the worker is connected and, where it handles, consumes.
   *
   * @param id its number in the run
   * @param onFact called with each line that it says, also with what is read after its death
   */
  static async start(id: number, order: Order, onFact: (fact: string) => void): Promise<WorkerProcess> {
    return new Promise((resolve, reject) => {
      const worker: WorkerProcess = new WorkerProcess(id, order, (fact) => {
        if (fact === "ready") resolve(worker);
        else onFact(fact);
      });
      worker.#closed.then(() => reject(new Error(`The worker to ${order.role} ended before it was ready.`)));
    });
  }

  private constructor(id: number, order: Order, onFact: (fact: string) => void) {
    const child = spawn(process.execPath, [MAIN, JSON.stringify(order)], { stdio: ["pipe", "pipe", "inherit"] });
    this.id = id;
    this.#child = child;
    child.stdin.on("error", () => {});
    const lines = createInterface(child.stdout);
    // All that it said before its death is read by then.
    this.#closed = Promise.all([once(lines, "close"), once(child, "exit")]);
    lines.on("line", (fact) => {
      if (!fact.startsWith("memory ")) return onFact(fact);
      this.memory = Number(fact.slice("memory ".length));
      this.peakMemory = Math.max(this.peakMemory, this.memory);
    });
  }

  /** Whether it ended by itself, which no worker does but one that a poison kills. */
  get failed(): boolean {
    const { exitCode, signalCode } = this.#child;
    return !this.#ended && (exitCode !== null || signalCode !== null);
  }

  /** Has a publisher begin no more calls, until its next `go`. */
  hold(): void {
    this.#child.stdin?.write("hold\n");
  }

  /** Lets a publisher begin, or go on. */
  go(): void {
    this.#child.stdin?.write("go\n");
  }

  /** Stops its app cleanly; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#ended = true;
    this.#child.stdin?.write("stop\n");
    await this.#closed;
  }

  /** `kill -9`; resolves when it is dead and all that it said is read. */
  async kill(): Promise<void> {
    this.#ended = true;
    this.#child.kill("SIGKILL");
    await this.#closed;
  }
}
