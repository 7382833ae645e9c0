import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { inject, onTestFinished } from "vitest";
import { brokerUrlWith, type Space } from "./broker.ts";

const GUIDE = new URL("../../../../docs/brokers/rabbitmq.md", import.meta.url);
const execute = promisify(execFile);

/** Whether accounts can be made on the broker: it runs here, and can be entered. */
export const hasAccounts = inject("rabbitmqFolder") !== "" && existsSync("/proc/self/ns") && process.getuid?.() === 0;

/** Makes the accounts that the guide lists under "Rights", for a namespace. Gives the URL of each. */
export async function accounts(space: Space): Promise<(part: string) => string> {
  const guide = await readFile(GUIDE, "utf8");
  const lines = [...guide.matchAll(/^rabbitmqctl set_permissions (\w+) '(.*)' '(.*)' '(.*)'$/gm)];
  const name = (part: string) => `${part}-${space.prefix}`;
  const commands = lines.map(([, part = "", ...rights]) => {
    const [configure, write, read] = rights.map((right) => right.replaceAll("orders/", `${space.prefix}/`));
    const text = (value = "") => `<<${JSON.stringify(value)}>>`;
    const user = text(name(part));
    const to = [configure, write, read].map(text).join(", ");
    return `rabbit_auth_backend_internal:add_user(${user}, <<"secret">>, <<"test">>), rabbit_auth_backend_internal:set_permissions(${user}, <<"/">>, ${to}, <<"test">>)`;
  });
  await control("eval", `${commands.join(", ")}.`);
  return (part) => {
    const url = brokerUrlWith((each) => {
      each.username = name(part);
      each.password = "secret";
    });
    return `${url}${url.includes("?") ? "&" : "?"}prefix=${space.prefix}`;
  };
}

/** Sets what an account of a namespace may read from; it may do all else there. `PREFIX` stands for the namespace. */
export async function permit(user: string, space: Space, read: string): Promise<void> {
  const all = `^(${space.prefix}/.*|amq\\.default)$`;
  await control("set_permissions", user, all, all, read.replaceAll("PREFIX", space.prefix));
}

/** Sets a policy for queues of a namespace until the test ends; `PREFIX` stands for the namespace. */
export async function policy(space: Space, pattern: string, definition: object): Promise<void> {
  const name = `test-${space.prefix}`;
  // A test may change its policy.
  onTestFinished(() => control("clear_policy", name).catch(() => {}));
  const matched = pattern.replaceAll("PREFIX", space.prefix);
  await control("set_policy", name, matched, JSON.stringify(definition), "--apply-to", "queues");
}

/** Runs `rabbitmqctl` where the broker runs, with its environment. */
export async function control(...args: readonly string[]): Promise<void> {
  const pid = brokerProcess();
  const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean);
  const env = Object.fromEntries(variables.map((each) => each.split(/=(.*)/s).slice(0, 2)));
  const entering = ["--target", pid, "--mount", "--pid", "--net", "--root"];
  const there = ["sh", "-c", 'cd / && exec "$@"', "inside", "/usr/lib/rabbitmq/bin/rabbitmqctl", ...args];
  await execute("nsenter", [...entering, ...there], { env, timeout: 60_000 });
}

function brokerProcess(): string {
  const group = readFileSync(join(inject("rabbitmqFolder"), "group"), "utf8").trim();
  const pid = readdirSync("/proc").find((each) => /^\d+$/.test(each) && isBroker(each, group));
  if (pid === undefined) throw new Error("the broker's process is not to be found");
  return pid;
}

function isBroker(pid: string, group: string): boolean {
  try {
    const [, name = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return name === "beam.smp" && rest.split(" ")[2] === group;
  } catch {
    // It has ended meanwhile.
    return false;
  }
}
