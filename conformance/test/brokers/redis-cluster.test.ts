import assert from "node:assert/strict";
import { Cluster as Client, Redis } from "ioredis";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type Cluster, type ClusterNode, redisCluster, testedVersions } from "../../src/brokers/index.ts";
import { until } from "../../src/rig/until.ts";

const PATIENCE = 30_000;

describe.each(testedVersions.redisCluster)("a Redis Cluster of %s", { timeout: 120_000 }, (version) => {
  let cluster: Cluster;
  let client: Client;
  let failed = true;

  beforeAll(async () => {
    cluster = await redisCluster(version);
    client = new Client(cluster.nodes.map(addressOf), { redisOptions: { commandTimeout: 5_000 } });
    client.on("error", () => {});
  }, 600_000);

  afterAll(async () => {
    client?.disconnect();
    await cluster?.stop(failed);
  });

  test("has a replica for each of three masters, which takes over when its master is killed", async () => {
    const masters = await withRole(cluster, "master");
    assert.equal(masters.length, 3);
    for (const master of masters) {
      const key = await keyOn(client, master);
      await client.set(key, "kept");
      await until("its replica has it", () => replicated(master), PATIENCE);
      await master.kill();
      await until("its slots are served again", () => succeeds(client.set(`${key}new`, "")), PATIENCE);
      assert.equal(await client.get(key), "kept");
      await master.restart();
      await until("it follows the one that took over", () => follows(master), PATIENCE);
    }
    assert.equal((await withRole(cluster, "master")).length, 3);
  });

  test("goes on without a master that is cut off, which serves nothing and follows once it is back", async () => {
    const [alone] = await withRole(cluster, "master");
    assert(alone !== undefined);
    const key = await keyOn(client, alone);
    await alone.isolate();
    await until("another serves its slots", () => servedByAnother(cluster, alone, key), PATIENCE);
    await until(
      "it serves nothing",
      async () => !(await succeeds(direct(alone, (server) => server.set(key, "lost")))),
      PATIENCE,
    );
    assert.equal(await roleOf(alone), "master");
    await alone.rejoin();
    await until("it follows the one that took over", () => follows(alone), PATIENCE);
    failed = false;
  });
});

function addressOf({ uri }: ClusterNode): { host: string; port: number } {
  const { hostname, port } = new URL(uri);
  return { host: hostname, port: Number(port) };
}

async function direct<T>(node: ClusterNode, ask: (server: Redis) => Promise<T>): Promise<T> {
  const server = new Redis({ ...addressOf(node), maxRetriesPerRequest: 0, retryStrategy: null, commandTimeout: 5_000 });
  server.on("error", () => {});
  return ask(server).finally(() => server.disconnect());
}

/** `undefined` while it does not say. */
async function roleOf(node: ClusterNode): Promise<unknown> {
  const [role] = await direct(node, (server) => server.role()).catch(() => []);
  return role;
}

/** Whether a node is a replica and has what its master has: before, it could not take over. */
async function follows(node: ClusterNode): Promise<boolean> {
  const [role, , , state] = (await direct(node, (server) => server.role()).catch(() => [])) as string[];
  return role === "slave" && state === "connected";
}

async function withRole({ nodes }: Cluster, role: "master" | "slave"): Promise<ClusterNode[]> {
  const roles = await Promise.all(nodes.map(roleOf));
  return nodes.filter((_, index) => roles[index] === role);
}

/** A key whose slot a node serves. */
async function keyOn(client: Client, node: ClusterNode): Promise<string> {
  for (let number = 0; ; number += 1) {
    const key = `{${number}}`;
    const slot = await client.cluster("KEYSLOT", key);
    const own = await direct(node, (server) => server.cluster("NODES"));
    if (rangesOf(String(own)).some(([first, last]) => first <= slot && slot <= last)) return key;
  }
}

/** The slots in a node's own line of `CLUSTER NODES`. */
function rangesOf(nodes: string): [number, number][] {
  const own = nodes.split("\n").find((line) => line.includes("myself"));
  return [...(own ?? "").matchAll(/ (\d+)-(\d+)/g)].map(([, first, last]) => [Number(first), Number(last)]);
}

/** Whether the replica of a master has all that the master has. */
async function replicated(master: ClusterNode): Promise<boolean> {
  const [, offset, replicas] = (await direct(master, (server) => server.role())) as [string, number, string[][]];
  return replicas.length === 1 && Number(replicas[0]?.[2]) >= offset;
}

async function servedByAnother({ nodes }: Cluster, alone: ClusterNode, key: string): Promise<boolean> {
  const others = nodes.filter((node) => node !== alone);
  const taken = others.map((node) => succeeds(direct(node, (server) => server.set(key, "new"))));
  return (await Promise.all(taken)).includes(true);
}

function succeeds(outcome: Promise<unknown>): Promise<boolean> {
  return outcome.then(
    () => true,
    () => false,
  );
}
