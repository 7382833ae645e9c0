import { spawn } from "node:child_process";

/**
 * Runs a command to its end.
 *
 * @returns what it wrote to standard output
 * @throws Error with the last lines it wrote to standard error
 */
export async function run(command: string, args: readonly string[], cwd?: string): Promise<string> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let errors = "";
  child.stdout.on("data", (data: Buffer) => {
    out += data.toString();
  });
  child.stderr.on("data", (data: Buffer) => {
    errors = (errors + data.toString()).slice(-2_000);
  });
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code === 0) return out;
  const last = (errors || out).trim().split("\n").slice(-3).join("; ");
  throw new Error(`${command} ended with ${code}: ${last}`);
}

/** Whether a command is there. */
export async function has(command: string): Promise<boolean> {
  try {
    await run("sh", ["-c", 'command -v "$1"', "has", command]);
    return true;
  } catch {
    return false;
  }
}
