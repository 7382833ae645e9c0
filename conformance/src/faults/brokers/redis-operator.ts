import { Redis } from "ioredis";
import type { Broker } from "../../brokers/index.ts";
import { USE_CASES } from "../workers/order.ts";
import type { Operator } from "./target.ts";

const COMMAND_LIMIT_MS = 5_000;

export const redisOperator: Operator = {
  full: "maxmemory is what is used already",
  fill: async (broker) => {
    const masters = await mastersOf(broker);
    for (const master of masters) {
      await withClient(master, async (client) => {
        const used = /^used_memory:(\d+)/m.exec(await client.info("memory"))?.[1] ?? "1";
        await client.config("SET", "maxmemory", used);
      });
    }
    return async () => {
      for (const master of masters) await withClient(master, (client) => client.config("SET", "maxmemory", "0"));
    };
  },
  objects: (broker, namespace) => {
    const key = (name: string) => `{papa-events:${namespace}}:${name}`;
    const removal = (name: string) => () => onEach(broker, (client) => client.del(key(name)));
    const [handle, collect] = Object.values(USE_CASES);
    return {
      "a queue's stream": removal(`queue:${handle}`),
      "a consumer group": () => onEach(broker, (client) => client.xgroup("DESTROY", key(`queue:${handle}`), "papa")),
      "another queue's stream": removal(`queue:${collect}`),
      "the bindings": removal("bindings"),
      "the declarations": removal("declarations"),
      "the version of the bindings": removal("version"),
      "the leases": removal(`leases:${handle}`),
      "the scripts": () => onEach(broker, (client) => client.script("FLUSH")),
    };
  },
  isWhole: async (broker) => {
    if (broker.nodes.length === 0) return true;
    const roles = await Promise.all(serversOf(broker).map(roleOf));
    const masters = roles.filter((role) => role === "master");
    const expected = broker.uri.startsWith("redis+sentinel:") ? 1 : roles.length / 2;
    return masters.length === expected && !roles.includes(undefined);
  },
};

/** Of one server: what a node of several loses its replica has, or it is lost as documented. */
export const redisAloneOperator: Operator = {
  ...redisOperator,
  strictly: "appendfsync always",
  strict: async (broker) => {
    await withClient(broker, (client) => client.config("SET", "appendfsync", "always"));
  },
};

/** `undefined` while it is away, or follows nobody yet, or nobody follows it. */
async function roleOf(server: Broker): Promise<"master" | "replica" | undefined> {
  try {
    return await withClient(server, async (client) => {
      const [role, , more, state] = (await client.role()) as unknown as [string, unknown, unknown, string | undefined];
      if (role === "master") return Array.isArray(more) && more.length > 0 ? "master" : undefined;
      return state === "connected" ? "replica" : undefined;
    });
  } catch {
    return undefined;
  }
}

/** The servers without the Sentinels beside them. */
function serversOf({ uri, nodes }: Broker): readonly Broker[] {
  if (!uri.startsWith("redis+sentinel:")) return nodes;
  return nodes.flatMap(({ nodes: [server] }) => (server === undefined ? [] : [server]));
}

async function mastersOf(broker: Broker): Promise<readonly Broker[]> {
  if (broker.nodes.length === 0) return [broker];
  const servers = serversOf(broker);
  const roles = await Promise.all(servers.map(roleOf));
  return servers.filter((_, index) => roles[index] === "master");
}

async function onEach(broker: Broker, act: (client: Redis) => Promise<unknown>): Promise<void> {
  // What another shard has is not this one's to change.
  for (const master of await mastersOf(broker)) await withClient(master, act).catch(() => {});
}

/** Asks one server, by itself. */
export async function withClient<T>(server: Broker, act: (client: Redis) => Promise<T>): Promise<T> {
  const settings = { maxRetriesPerRequest: 0, retryStrategy: null, commandTimeout: COMMAND_LIMIT_MS };
  const client = new Redis(server.uri, settings);
  client.on("error", () => {});
  try {
    return await act(client);
  } finally {
    client.disconnect();
  }
}
