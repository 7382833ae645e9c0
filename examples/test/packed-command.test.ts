import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Broker, redis } from "@papa-events/conformance/brokers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Fetching a broker for the first time takes minutes. */
const FETCHING = 600_000;
const folder = mkdtempSync(join(tmpdir(), "papa-events-empty-"));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in the folder, also one that fails. */
async function run(command: string, ...args: string[]): Promise<Ran> {
  const { PAPA_BROKER_URL: _, ...env } = process.env;
  const ran = promisify(execFile)(command, args, { cwd: folder, env });
  return ran.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Ran) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }),
  );
}

/** Installs packages as they would be published. What npm has downloaded before needs no network. */
async function install(...places: string[]): Promise<void> {
  const before = new Set(readdirSync(folder));
  for (const place of places)
    await run("npm", "pack", "--loglevel=error", "--pack-destination", folder, join(root, "packages", place));
  const tarballs = readdirSync(folder).filter((name) => name.endsWith(".tgz") && !before.has(name));
  expect(tarballs).toHaveLength(places.length);
  const installed = await run(
    "npm",
    "install",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    ...tarballs,
  );
  expect(installed).toMatchObject({ code: 0 });
}

describe("the packed command in an empty folder", () => {
  let broker: Broker;

  beforeAll(async () => {
    broker = await redis("8.6");
    await run("npm", "init", "-y");
    await install("core", "cli");
  }, FETCHING);

  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await broker?.stop();
  });

  it("helps, and says which transport to install", async () => {
    expect(await run("npx", "papa", "--help")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("papa dlq summary"),
    });
    const { code, stdout, stderr } = await run("npx", "papa", "use-cases", "--broker", broker.uri);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("npm install @papa-events/transport-redis-streams");
  });

  it("works once it is installed", async () => {
    await install("transport-redis-streams");
    const { code, stdout } = await run("npx", "papa", "use-cases", "--json", "--broker", `${broker.uri}?prefix=packed`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{"useCases":[]}\n' });
  });
});
