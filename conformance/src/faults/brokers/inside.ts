import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Broker } from "../../brokers/index.ts";
import { pause } from "../../rig/until.ts";

/** The programs that brokers are, as the kernel names them. */
const SERVERS = ["redis-server", "valkey-server", "beam.smp", "java"];
const QUIT_LIMIT_MS = 60_000;
const execute = promisify(execFile);

/**
 * Ends a broker as its service manager does (SIGTERM), or kills it after a minute; one that runs in Docker is killed. Of
 * several that are one node each is ended.
 */
export async function quit(broker: Broker): Promise<void> {
  await Promise.all(broker.nodes.map(quit));
  if (broker.nodes.length > 0) return;
  const pid = serverOf(broker);
  if (pid !== undefined) {
    process.kill(pid, "SIGTERM");
    const since = performance.now();
    while (existsSync(`/proc/${pid}`) && performance.now() - since < QUIT_LIMIT_MS) await pause(50);
  }
  await broker.kill();
}

/** Runs a command in the namespaces of a broker that runs natively, with its environment. @throws Error */
export async function inside(broker: Broker, command: string, args: readonly string[]): Promise<void> {
  const pid = serverOf(broker);
  if (pid === undefined) throw new Error("it is out of reach; PAPA_EVENTS_BROKERS=native has it run here");
  const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean);
  const environment = Object.fromEntries(variables.map((each) => each.split(/=(.*)/s).slice(0, 2)));
  const entering = ["--target", String(pid), "--mount", "--pid", "--net", "--root"];
  // The folder that it comes from is out of sight there.
  const there = ["sh", "-c", 'cd / && exec "$@"', "inside", command, ...args];
  await execute("nsenter", [...entering, ...there], { env: environment, timeout: QUIT_LIMIT_MS });
}

/** The server's own process, as seen from here: what is around it in its group would take it down at once. */
function serverOf({ folder }: Broker): number | undefined {
  if (folder === undefined || !existsSync("/proc/self/stat")) return undefined;
  const group = readFileSync(join(folder, "group"), "utf8").trim();
  const pid = readdirSync("/proc").find((each) => /^\d+$/.test(each) && isServer(each, group));
  return pid === undefined ? undefined : Number(pid);
}

function isServer(pid: string, group: string): boolean {
  try {
    const [, name = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return SERVERS.includes(name) && rest.split(" ")[2] === group;
  } catch {
    // It has ended meanwhile.
    return false;
  }
}
