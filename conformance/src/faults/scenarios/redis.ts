import { readdir, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { pause } from "../../rig/until.ts";
import { withClient } from "../brokers/redis-operator.ts";
import type { Stage } from "../stage/stage.ts";
import { handling, type Scenario } from "./scenario.ts";

/** How far behind the disk may be with `appendfsync everysec`, in milliseconds: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/. */
const UNWRITTEN = 1_000;
/** How old what a power failure loses may be: the second, and one more where the disk is slow. */
const BOUND = 2_000;

/** What goes wrong on Redis only. */
const onRedis: readonly Omit<Scenario, "kind" | "clustered">[] = [
  {
    name: "scripts-flushed",
    what: "the server forgets all scripts (SCRIPT FLUSH)",
    times: 50,
    play: handling((stage) => withClient(stage.broker, async (client) => void (await client.script("FLUSH")))),
  },
  {
    name: "readers-killed",
    what: "the server ends every connection that reads (CLIENT KILL)",
    times: 50,
    play: async (stage, times) => {
      let killed = 0;
      await handling(async () => {
        killed += await withClient(stage.broker, killReaders);
      })(stage, times);
      stage.notes.push(`${killed} connections were ended`);
      if (killed === 0) stage.problems.push("no connection read");
    },
  },
  {
    name: "broker-killed-always",
    what: "as broker-killed, with appendfsync always",
    times: 5,
    play: handling(async (stage) => {
      await withClient(stage.broker, (client) => client.config("SET", "appendfsync", "always"));
      await stage.broker.kill();
      await stage.broker.restart();
    }),
  },
  {
    name: "power-failed",
    what: `the power fails under appendfsync everysec: the server is killed and all that it wrote in the last ${UNWRITTEN / 1_000} s is cut from its files`,
    times: 5,
    play: async (stage, times) => {
      await stage.publish();
      for (let time = 1; time <= times; time += 1) {
        await stage.confirmed(time / (times + 1));
        await failPower(stage);
      }
      await stage.finish();
      const { unhandled, withoutOutput } = stage.ledger;
      const lost = `${unhandled} events and ${withoutOutput} outputs`;
      stage.notes.push(
        `lost were ${lost}, of events confirmed in the ${BOUND / 1_000} s before a failure, as documented`,
      );
    },
  },
];

export const redisScenarios: readonly Scenario[] = onRedis.map((each) => ({
  ...each,
  kind: "redis",
  clustered: false,
}));

/** Tells how many. */
async function killReaders(client: Redis): Promise<number> {
  const clients = String(await client.client("LIST")).split("\n");
  const readers = clients.filter((line) => line.includes("cmd=xreadgroup"));
  for (const reader of readers) await client.call("CLIENT", "KILL", "ID", /^id=(\d+)/.exec(reader)?.[1] ?? "0");
  return readers.length;
}

async function failPower(stage: Stage): Promise<void> {
  const { folder } = stage.broker;
  if (folder === undefined) throw new Error("its files are out of reach; PAPA_EVENTS_BROKERS=native has it run here");
  // A rewrite would put other files in their place.
  await withClient(stage.broker, (client) => client.config("SET", "auto-aof-rewrite-percentage", "0"));
  const appended = join(folder, "appendonlydir");
  const files = (await readdir(appended)).filter((file) => file.endsWith(".incr.aof"));
  const paths = files.map((file) => join(appended, file));
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  await pause(UNWRITTEN);
  await stage.broker.kill();
  stage.ledger.excuse(BOUND);
  for (const [index, path] of paths.entries()) await truncate(path, sizes[index] ?? 0);
  await stage.broker.restart();
}
