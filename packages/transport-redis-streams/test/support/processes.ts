import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** Runs a program of this folder from the built packages, in a process that can be stopped and killed. Collects its lines. */
export function run(program: string, args: readonly string[], lines: string[]): ChildProcess {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let rest = "";
  child.stdout.on("data", (data: Buffer) => {
    const complete = (rest + data.toString()).split("\n");
    rest = complete.pop() ?? "";
    lines.push(...complete);
  });
  return child;
}
