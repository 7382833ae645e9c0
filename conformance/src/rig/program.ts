import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ProgramAccess } from "../description.ts";

const MAIN = fileURLToPath(new URL(`../program/main${extname(import.meta.url)}`, import.meta.url));

/** A process of its own on the test's namespace, made to be killed. */
export class Program {
  /** What it has said, a word per line: `ready`, then ids. */
  readonly said: string[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #errors = "";

  constructor(access: ProgramAccess, namespace: string, role: string, settings: Readonly<Record<string, unknown>>) {
    const order = JSON.stringify({ role, module: access.module, uri: access.uri(namespace), ...settings });
    this.#child = spawn(process.execPath, [MAIN, order], { stdio: ["ignore", "pipe", "pipe"] });
    this.#exited = once(this.#child, "exit");
    const { stdout, stderr } = this.#child;
    if (stdout !== null) createInterface(stdout).on("line", (line) => this.said.push(line));
    stderr?.on("data", (data: Buffer) => {
      this.#errors += data.toString();
    });
  }

  /** Whether it runs; throws what it said when it ended by an error of its own. */
  get running(): boolean {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null && exitCode !== 0) throw new Error(`the program ended with ${exitCode}: ${this.#errors}`);
    return exitCode === null && signalCode === null;
  }

  /** `kill -9`; resolves when it is dead. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** Resolves when it is dead by itself. */
  async dead(): Promise<void> {
    await this.#exited;
  }
}
