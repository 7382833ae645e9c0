import { readFileSync } from "node:fs";
import { conformance, proxied } from "@papa-events/conformance";
import { redis, testedVersions } from "@papa-events/conformance/brokers";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { Redis } from "ioredis";
import { until } from "./support/wait.ts";

/** The version on which apps and operators have no more rights than the guide gives them. */
const LEAST_RIGHTS = "valkey-9.1";
const GUIDE = new URL("../../../docs/brokers/redis-streams.md", import.meta.url);

/** Over how many hash tags namespaces are spread, where it is not one. */
const SHARDS: Readonly<Partial<Record<string, number>>> = { "8.6-cluster": 3 };

/** Shorter than by default, so that tests need not wait long for the events of the dead. */
const LEASE = 2_000;

for (const version of [...testedVersions.redis, ...testedVersions.redisAlone]) {
  const broker = proxied({
    name: "redis-streams",
    start: () => redis(version),
    transport: (uri, namespace, operator) =>
      version.endsWith("-cluster")
        ? onCluster(uri, namespace)
        : redisStreams(address(as(operator ? "acts" : "handles", uri), namespace)),
  });
  const limitRights = async () => {
    if (version !== LEAST_RIGHTS) return;
    for (const account of ["handles", "acts"])
      await withClient((client) => client.call("ACL", "SETUSER", account, ...rulesOf(account)));
  };
  const as = (account: string, uri: string) =>
    version === LEAST_RIGHTS ? uri.replace("redis://", `redis://${account}:secret@`) : uri;
  const { clean: closeProxies, faults } = broker;
  const withClient = async (act: (client: Redis) => Promise<unknown>) => {
    const client = new Redis(broker.broker().uri);
    try {
      await act(client);
    } finally {
      client.disconnect();
    }
  };
  /** The node reports its own address, but must be reached through the proxy's. */
  const onCluster = (uri: string, prefix: string) => {
    const { hostname: host, port } = new URL(uri);
    const node = { host, port: Number(port) };
    return redisStreams({
      cluster: { nodes: [node], options: { natMap: () => node } },
      prefix,
      lease: LEASE,
      shards: SHARDS[version],
    });
  };

  conformance({
    ...broker,
    name: version.startsWith("valkey") ? "valkey" : "redis",
    version: version.replace("valkey-", "").replace("-", " "),
    longestLease: LEASE,
    setUp: async () => {
      await broker.setUp?.();
      await limitRights();
      if (!version.endsWith("-cluster")) return;
      await withClient(async (client) => {
        await client.cluster("ADDSLOTSRANGE", 0, 16_383);
        await until("the cluster serves", async () => String(await client.cluster("INFO")).includes("state:ok"));
      });
    },
    clean: async (namespace) => {
      await closeProxies(namespace);
      await withClient(async (client) => {
        const keys = await client.keys(key(namespace, "*"));
        if (keys.length > 0) await client.unlink(...keys);
      });
    },
    faults: {
      ...faults,
      // The server forgets its accounts, unless it has a file for them.
      restart: async () => {
        if (typeof faults.restart === "function") await faults.restart();
        await limitRights();
      },
      fill: async () => {
        await withClient((client) => client.config("SET", "maxmemory", "1"));
        return () => withClient((client) => client.config("SET", "maxmemory", "0"));
      },
      deletions: (namespace, useCase) => {
        const removal = (name: string) => () => withClient((client) => client.del(key(namespace, name)));
        const queue = `queue:${useCase}`;
        return {
          "the queue's stream": removal(queue),
          "the consumer group": () => withClient((client) => client.xgroup("DESTROY", key(namespace, queue), "papa")),
          "the bindings": removal("bindings"),
          "the declarations": removal("declarations"),
          "the version of the bindings": removal("version"),
          "the leases": removal(`leases:${useCase}`),
          "the scripts": () => withClient((client) => client.script("FLUSH")),
        };
      },
      // A read that blocks fails when its stream is deleted.
      cancel: (namespace, useCase) => withClient((client) => client.del(key(namespace, `queue:${useCase}`))),
    },
    outside: (namespace, { name, body, headers = {} }) => {
      const fields = Object.entries(headers).flatMap(([field, value]) =>
        [value].flat().flatMap((each) => [field, each as string | Buffer]),
      );
      return withClient((client) =>
        client.xadd(key(namespace, "inbox"), "*", "event", name, "payload", Buffer.from(body), ...fields),
      );
    },
    outsideHeaders: { bytes: Buffer.from([0xff, 0x00]), twice: ["a", "b"] },
    conflict: async (namespace, useCase) => {
      const queue = key(namespace, `queue:${useCase}`);
      await withClient((client) => client.set(queue, "something else"));
      return queue;
    },
    refused: [
      {
        problem: "wrong password",
        transport: () => redisStreams(broker.broker().uri.replace("redis://", "redis://somebody:not-the-secret@")),
        code: "access-refused",
        secret: "not-the-secret",
      },
      {
        problem: "wrong port",
        transport: () => redisStreams("redis://somebody:not-the-secret@127.0.0.1:1"),
        code: "connection-failed",
        names: "127.0.0.1",
        secret: "not-the-secret",
      },
      {
        problem: "database that does not exist",
        transport: () => redisStreams(`${broker.broker().uri}/4711`),
        code: "connection-failed",
        names: "4711",
      },
    ],
    program: {
      module: import.meta.resolve("@papa-events/transport-redis-streams"),
      uri: (namespace) =>
        `${address(as("handles", broker.broker().uri), namespace)}${version in SHARDS ? `&shards=${SHARDS[version]}` : ""}`,
    },
  });
}

/** The rules that the guide has for an account, in every namespace. */
function rulesOf(name: string): readonly string[] {
  const rules = new RegExp(`^ACL SETUSER ${name} (.*)$`, "m").exec(readFileSync(GUIDE, "utf8"))?.[1];
  if (rules === undefined) throw new Error(`the guide has no account "${name}"`);
  return rules.replaceAll("{papa-events}", "{papa-events:*}").split(" ");
}

function address(uri: string, namespace: string): string {
  return `${uri}?prefix=${namespace}&lease=${LEASE}ms`;
}

/** The name of a key of a namespace. */
function key(namespace: string, rest: string): string {
  return `{papa-events:${namespace}}:${rest}`;
}
