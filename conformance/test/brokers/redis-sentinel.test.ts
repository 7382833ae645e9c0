import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type Cluster, type ClusterNode, redisSentinel, testedVersions } from "../../src/brokers/index.ts";
import { until } from "../../src/rig/until.ts";

const PATIENCE = 60_000;

describe.each(testedVersions.redisSentinel)("a Redis %s with Sentinel", { timeout: 180_000 }, (version) => {
  let cluster: Cluster;
  let client: Redis;
  let failed = true;

  beforeAll(async () => {
    cluster = await redisSentinel(version);
    const { hosts, name } = /^redis\+sentinel:\/\/(?<hosts>.*)\/(?<name>.*)$/.exec(cluster.uri)?.groups ?? {};
    const sentinels = (hosts ?? "").split(",").map((address) => {
      const [host = "", port] = address.split(":");
      return { host, port: Number(port) };
    });
    assert.equal(sentinels.length, 3);
    client = new Redis({ sentinels, name: name ?? "", commandTimeout: 5_000 });
    client.on("error", () => {});
  }, 600_000);

  afterAll(async () => {
    client?.disconnect();
    await cluster?.stop(failed);
  });

  test("has two replicas, one of which takes over when the master is killed with its Sentinel", async () => {
    const master = await masterOf(cluster.nodes);
    await client.set("key", "kept");
    assert.equal(await client.wait(2, PATIENCE), 2);
    await master.kill();
    await until("another takes writes", () => succeeds(client.set("other", "new")), PATIENCE);
    assert.equal(await client.get("key"), "kept");
    await master.restart();
    await until("it follows the one that took over", async () => (await roleOf(master)) === "slave", PATIENCE);
    assert.notEqual(await masterOf(cluster.nodes), master);
  });

  test("has a new master when the one before is cut off, which follows once it is back", async () => {
    const alone = await masterOf(cluster.nodes);
    const others = cluster.nodes.filter((node) => node !== alone);
    await alone.isolate();
    // One that came back while the failover goes on could stay the master.
    await until("the others' Sentinels know another", () => knowAnother(others, alone), PATIENCE);
    assert.equal(await roleOf(alone), "master");
    await alone.rejoin();
    await until("it follows the one that took over", async () => (await roleOf(alone)) === "slave", PATIENCE);
    failed = false;
  });
});

/** What the node's server says, beside which its Sentinel is; `undefined` while it does not, as when roles change. */
async function roleOf({ nodes: [server] }: ClusterNode): Promise<unknown> {
  const client = new Redis(server?.uri ?? "", { retryStrategy: null, commandTimeout: 5_000 });
  client.on("error", () => {});
  const [role] = await client
    .role()
    .catch(() => [])
    .finally(() => client.disconnect());
  return role;
}

/** Whether the Sentinels of some nodes say that the master is another than this. */
async function knowAnother(nodes: readonly ClusterNode[], { nodes: [before] }: ClusterNode): Promise<boolean> {
  const said = nodes.map(async ({ nodes: [, sentinel] }) => {
    const client = new Redis(sentinel?.uri ?? "", { retryStrategy: null, commandTimeout: 5_000 });
    client.on("error", () => {});
    const address = client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "papa");
    const [host] = (await address.catch(() => []).finally(() => client.disconnect())) as string[];
    return host;
  });
  const old = new URL(before?.uri ?? "").hostname;
  return (await Promise.all(said)).every((host) => host !== undefined && host !== old);
}

async function masterOf(nodes: readonly ClusterNode[]): Promise<ClusterNode> {
  const roles = await Promise.all(nodes.map(roleOf));
  const [master, ...others] = nodes.filter((_, index) => roles[index] === "master");
  assert(master !== undefined && others.length === 0);
  return master;
}

function succeeds(outcome: Promise<unknown>): Promise<boolean> {
  return outcome.then(
    () => true,
    () => false,
  );
}
