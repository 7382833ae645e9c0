import { type Cluster, joined, startNodes } from "./cluster.ts";
import { answerTo } from "./net.ts";
import { type RedisVersion, redisSpec, withSettings } from "./redis.ts";
import type { BrokerSpec } from "./spec.ts";
import { startNode } from "./start.ts";

/** What the Sentinels call the master. */
const NAME = "papa";
const SITES = 3;
const FORMING_LIMIT_MS = 60_000;

/**
 * A Redis, or a Valkey, with two replicas, and a Sentinel beside each: a node is both, and is killed with both. Two Sentinels
 * that miss the master for two seconds let a replica take over. Its address is `redis+sentinel://host:port,.../papa`, of the
 * Sentinels.
 */
export async function redisSentinel(version: RedisVersion): Promise<Cluster> {
  const spec = redisSpec(version);
  const { nodes, network } = await startNodes(
    `a ${spec.kind} ${version} with Sentinel`,
    SITES,
    async (place) => {
      const { id, site, network: inside } = place;
      const [port = 0, sentinelPort = 0] = site.ports;
      const master = inside.hosts[0] ?? "";
      const replica: Record<string, string> = id === 1 ? {} : { replicaof: `${master} ${port}` };
      const server = await startNode(
        withSettings(spec, site.host, { "replica-announce-ip": site.host, ...replica }),
        site,
      );
      try {
        const watching = sentinelSpec(spec, site.host, `${master} ${port}`);
        const sentinel = await startNode(watching, { ...site, ports: [sentinelPort] });
        return joined([server, sentinel], { uri: () => sentinel.uri });
      } catch (error) {
        await server.stop(true);
        throw error;
      }
    },
    2,
  );
  const uri = (addresses: readonly string[]) => `redis+sentinel://${addresses.join(",")}/${NAME}`;
  const cluster = joined(nodes, { uri }, () => network.close());
  try {
    await untilFormed(network.hosts, network.port + 1);
  } catch (error) {
    await cluster.stop(true);
    throw error;
  }
  return cluster;
}

function sentinelSpec(spec: BrokerSpec, host: string, master: string): BrokerSpec {
  const { native } = spec;
  if (native.from !== "tree") throw new Error("its Sentinel is not in a tree");
  return {
    ...spec,
    native: {
      ...native,
      run: (folder: string, [port = 0]: readonly number[]) => ({
        command: `/usr/bin/${spec.kind}-server`,
        args: [`${folder}/sentinel.conf`, "--sentinel"],
        files: {
          "sentinel.conf": `${[
            `bind ${host}`,
            `port ${port}`,
            `dir ${folder}`,
            "protected-mode no",
            `sentinel announce-ip ${host}`,
            `sentinel monitor ${NAME} ${master} 2`,
            `sentinel down-after-milliseconds ${NAME} 2000`,
            `sentinel failover-timeout ${NAME} 5000`,
          ].join("\n")}\n`,
        },
      }),
    },
  };
}

/** Resolves when each Sentinel knows of both replicas and of both others. */
async function untilFormed(hosts: readonly string[], port: number): Promise<void> {
  const started = performance.now();
  const knows = async (host: string) =>
    String((await answerTo(host, port, Buffer.from("INFO sentinel\r\n"))) ?? "").includes(
      `status=ok,address=${hosts[0]}:${port - 1},slaves=${SITES - 1},sentinels=${SITES}`,
    );
  while (!(await Promise.all(hosts.map(knows))).every(Boolean)) {
    if (performance.now() - started > FORMING_LIMIT_MS)
      throw new Error("the Sentinels did not find all others in time");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
