import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const PAPA = fileURLToPath(new URL("../../../packages/cli/dist/bin.js", import.meta.url));
/** Longer than any command of the runbook takes, also on a busy machine. */
const LIMIT_MS = 60_000;
/** Gives what it runs a terminal; a part of util-linux. */
const TERMINAL = "script";
/** As wide as a page shows it. */
const COLUMNS = 120;

export interface Ended {
  readonly code: number | null;
  /** What it showed on its terminal. */
  readonly output: string;
}

/** An operator's terminal: an empty folder, and the built `papa` in its path. */
export class Shell {
  readonly folder = mkdtempSync(join(tmpdir(), "papa-runbook-"));
  readonly #bin = mkdtempSync(join(tmpdir(), "papa-runbook-bin-"));

  constructor() {
    this.program("papa", `exec "${process.execPath}" "${PAPA}" "$@"`);
    // Where a situation has no other, nothing is changed.
    this.program("editor", "exit 0");
  }

  /** Makes a command of a few lines of shell. */
  program(name: string, script: string): void {
    const path = join(this.#bin, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }

  /** Runs a block of commands, ended by the first that fails. */
  run(commands: string, env: Readonly<Record<string, string>>): Promise<Ended> {
    const block = join(this.#bin, "block.sh");
    writeFileSync(block, `stty cols ${COLUMNS} -echo\n${commands}`);
    const path = `${this.#bin}${delimiter}${process.env.PATH}`;
    // In a terminal, since papa prints there what a person sees, and elsewhere what a program reads.
    const child = spawn(TERMINAL, ["-q", "-e", "-f", "-c", `bash -e "${block}"`, "/dev/null"], {
      cwd: this.folder,
      env: { ...process.env, NO_COLOR: "1", EDITOR: "editor", ...env, PATH: path },
      // Its end would be typed into the terminal.
      stdio: ["pipe", "pipe", "inherit"],
      timeout: LIMIT_MS,
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, output: output.replaceAll("\r\n", "\n") }));
    });
  }

  remove(): void {
    for (const folder of [this.folder, this.#bin]) rmSync(folder, { recursive: true, force: true });
  }
}
