import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { announce, cacheFolder } from "./cache.ts";

/**
 * Ends the group of processes whose id is in the folder, and removes the folder, when its standard input ends: at the
 * end of the run, whatever ended it.
 */
const GUARD = `cat >/dev/null; kill -s KILL -- "-$(cat "$1/group")" 2>/dev/null; sleep 0.2; rm -rf "$1"`;

/** A broker as a group of processes of its own, with a folder for its data. */
export class NativeProcess {
  readonly folder: string;
  readonly log: string;
  readonly #guard: ChildProcess;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;

  constructor(
    name: string,
    launch: (folder: string) => {
      command: string;
      args: readonly string[];
      environment: Readonly<Record<string, string>>;
    },
  ) {
    this.folder = mkdtempSync(join(tmpdir(), `papa-events-${name}-`));
    this.log = join(cacheFolder("logs"), `${name}-${process.pid}-${Date.now()}.log`);
    const { command, args, environment } = launch(this.folder);
    this.#command = command;
    this.#args = args;
    this.#environment = environment;
    const guard = spawn("sh", ["-c", GUARD, "guard", this.folder], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    guard.unref();
    // A pipe is a socket here, which would keep the process alive.
    if (guard.stdin !== null && "unref" in guard.stdin && typeof guard.stdin.unref === "function") guard.stdin.unref();
    this.#guard = guard;
  }

  /** Whether it runs. */
  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The last line of its log, once it has ended. */
  lastWords(): string | undefined {
    return this.running ? undefined : (readFileSync(this.log, "utf8").trim().split("\n").at(-1) ?? "");
  }

  start(): void {
    const output = openSync(this.log, "a");
    const child = spawn(this.#command, this.#args, {
      detached: true,
      env: { PATH: process.env.PATH, LANG: "C.UTF-8", ...this.#environment },
      stdio: ["ignore", output, output],
    });
    child.on("error", () => {});
    child.unref();
    this.#child = child;
    writeFileSync(join(this.folder, "group"), String(child.pid));
  }

  signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined || !this.running) return;
    process.kill(-pid, signal);
  }

  /** Stops it until it is resumed; resolves when every thread of it stands still, which takes a busy machine a moment. */
  async pause(): Promise<void> {
    this.signal("SIGSTOP");
    while (this.running && !standsStill(this.#child?.pid)) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  resume(): void {
    this.signal("SIGCONT");
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const dead = new Promise((resolve) => child.once("exit", resolve));
    // Nothing else may be left that keeps the process alive until then.
    child.ref();
    this.signal("SIGKILL");
    await dead;
  }

  /** Ends it for good and removes its data. */
  async stop(failed: boolean): Promise<void> {
    await this.kill();
    const gone = new Promise((resolve) => this.#guard.once("exit", resolve));
    this.#guard.ref();
    this.#guard.stdin?.end();
    await gone;
    if (failed) announce(`the broker's log is kept in ${this.log}`);
    else rmSync(this.log, { force: true });
  }
}

/** States of a thread that is stopped or has ended. */
const STILL = ["T", "t", "Z", "X"];

/** Whether every thread of a group of processes is stopped; taken for granted where there is no `/proc`. */
function standsStill(group: number | undefined): boolean {
  if (!existsSync("/proc/self/task")) return true;
  const threads = readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && stateOf(`/proc/${pid}`)?.group === group)
    .flatMap((pid) => tasksOf(pid));
  return threads.every((thread) => STILL.includes(stateOf(thread)?.state ?? "X"));
}

function tasksOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

/** The state letter and the process group in a `stat` file; the program's name before them may hold spaces. */
function stateOf(folder: string): { readonly state: string; readonly group: number } | undefined {
  try {
    const [state = "", , group] = readFileSync(`${folder}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return { state, group: Number(group) };
  } catch {
    return undefined;
  }
}
