import { type Cluster, joined, startNodes } from "./cluster.ts";
import type { ClusterNetwork } from "./cluster-network.ts";
import { debianTree } from "./debian-tree.ts";
import { answerTo } from "./net.ts";
import { type RedisVersion, redisSpec, withSettings } from "./redis.ts";
import { run } from "./shell.ts";
import type { BrokerSpec } from "./spec.ts";
import { startNode } from "./start.ts";

const MASTERS = 3;
/** How long the nodes may take to find one another. */
const FORMING_LIMIT_MS = 60_000;

/** A Redis Cluster, or a Valkey's: three masters, each with a replica that takes over within some seconds. */
export async function redisCluster(version: RedisVersion): Promise<Cluster> {
  const spec = redisSpec(version);
  const { nodes, network } = await startNodes(`a ${spec.kind} ${version} cluster`, 2 * MASTERS, ({ site }) => {
    const { host, ports } = site;
    const [, bus] = ports;
    const settings = { "cluster-enabled": "yes", "cluster-port": String(bus), "cluster-node-timeout": "2000" };
    return startNode(withSettings(spec, host, { ...settings, "cluster-announce-ip": host }), site);
  });
  const uri = (addresses: readonly string[]) => `redis://${addresses.join(",")}`;
  const cluster = joined(nodes, { uri }, () => network.close());
  try {
    await form(spec, network);
  } catch (error) {
    await cluster.stop(true);
    throw error;
  }
  return cluster;
}

async function form({ kind, native }: BrokerSpec, network: ClusterNetwork): Promise<void> {
  if (native.from !== "tree") throw new Error("its client is not in a tree");
  const tree = await debianTree(native.source, "clusters run natively only");
  const addresses = network.hosts.map((host) => `${host}:${network.port}`);
  const create = ["--cluster", "create", ...addresses, "--cluster-replicas", "1", "--cluster-yes"];
  const { command, args } = network.inside({ command: "chroot", args: [tree, `/usr/bin/${kind}-cli`, ...create] });
  await run(command, args);
  const started = performance.now();
  while (!(await isFormed(network))) {
    if (performance.now() - started > FORMING_LIMIT_MS) throw new Error("the nodes formed no cluster in time");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Whether every node knows of all slots, and every replica follows its master. */
async function isFormed({ hosts, port }: ClusterNetwork): Promise<boolean> {
  const ask = async (host: string, question: string) =>
    String((await answerTo(host, port, Buffer.from(`${question}\r\n`))) ?? "");
  const formed = hosts.map(async (host) => {
    if (!(await ask(host, "CLUSTER INFO")).includes("cluster_state:ok")) return false;
    const replication = await ask(host, "INFO replication");
    return /connected_slaves:1|master_link_status:up/.test(replication);
  });
  return (await Promise.all(formed)).every(Boolean);
}
