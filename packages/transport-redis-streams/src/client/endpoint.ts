import { invalidOption } from "@papa-events/core/transport";
import { Cluster, type ClusterNode, type ClusterOptions, Redis, type RedisOptions } from "ioredis";
import type { ClusterTarget, RedisStreamsOptions, Target } from "./options.ts";
import { optionsOf } from "./url.ts";

/** What every connection is made with, whatever was asked for. */
type ConnectionSettings = Pick<
  RedisOptions,
  | "autoResendUnfulfilledCommands"
  | "connectionName"
  | "connectTimeout"
  | "enableOfflineQueue"
  | "keyPrefix"
  | "lazyConnect"
  | "maxRetriesPerRequest"
  | "reconnectOnError"
  | "retryStrategy"
  | "socketTimeout"
>;

/** Makes a client that has not connected yet. */
export type MakeClient = (settings: ConnectionSettings) => Redis | Cluster;

/** The shapes of replies that this library reads, whatever the user's own client is set to. */
const SHAPES = { replyMapping: "legacy", stringNumbers: false, enableAutoPipelining: false } as const;

/** Where the server is, and how to make clients of it. @throws PapaError `invalid-option` */
export function whereabouts(options: RedisStreamsOptions, url: URL | undefined): Pick<Target, "address" | "client"> {
  const { connection, cluster, client, tls } = options;
  if (url !== undefined) return single(optionsOf(url, tls), url.protocol);
  if (connection !== undefined) {
    assertObject(connection, "connection");
    return single(connection, connection.tls === undefined ? "redis:" : "rediss:");
  }
  if (client !== undefined) {
    // Not by instanceof: the program may have a copy of ioredis of its own.
    if (typeof client.duplicate !== "function" || typeof client.options !== "object")
      throw invalidOption("redisStreams: client", "it is no instance of ioredis");
    if (!isCluster(client)) return single(client.options, client.options.tls === undefined ? "redis:" : "rediss:");
    return {
      address: "cluster of the given client",
      client: (settings) => client.duplicate([], clusterOptions(client.options, settings)),
    };
  }
  assertObject(cluster, "cluster");
  const { nodes, options: own = {} } = cluster as ClusterTarget;
  if (!Array.isArray(nodes) || nodes.length === 0)
    throw invalidOption("redisStreams: cluster", "nodes lists some of its nodes");
  return {
    address: `redis://${nodes.map(nameOf).join(",")}`,
    client: (settings) => new Cluster([...nodes], clusterOptions(own, settings)),
  };
}

function single(options: RedisOptions, protocol: string): Pick<Target, "address" | "client"> {
  const { host = "localhost", port = 6_379, path, sentinels, name, db = 0 } = options;
  const place =
    sentinels === null || sentinels === undefined
      ? (path ?? `${protocol}//${host.includes(":") ? `[${host}]` : host}:${port}`)
      : `${protocol}//${sentinels.map((each) => `${each.host}:${each.port ?? 26_379}`).join(",")} (Sentinel, "${name ?? ""}")`;
  return {
    address: `${place}${db === 0 ? "" : `/${db}`}`,
    client: (settings) => new Redis({ ...options, ...settings, ...SHAPES }),
  };
}

/** A command whose fate is unknown is not repeated by the client, which does not know what may be repeated. */
function clusterOptions(own: ClusterOptions, settings: ConnectionSettings) {
  const { enableOfflineQueue, lazyConnect, retryStrategy, keyPrefix: _, ...rest } = settings;
  return {
    ...own,
    enableOfflineQueue: enableOfflineQueue ?? false,
    lazyConnect: lazyConnect ?? true,
    retryDelayOnFailover: 0,
    // A second, as it comes, is too little for a node that many connect to at once.
    slotsRefreshTimeout: own.slotsRefreshTimeout ?? settings.connectTimeout ?? 8_000,
    clusterRetryStrategy: (times: number) => retryStrategy?.(times) ?? null,
    redisOptions: { ...own.redisOptions, ...rest, ...SHAPES },
  };
}

function nameOf(node: ClusterNode): string {
  if (typeof node === "number") return `localhost:${node}`;
  if (typeof node === "string") return URL.canParse(node) ? new URL(node).host : node.replace(/^.*@/, "");
  return `${node.host ?? "localhost"}:${node.port ?? 6_379}`;
}

function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}

function assertObject(value: unknown, option: string): void {
  if (typeof value !== "object" || value === null)
    throw invalidOption(`redisStreams: ${option}`, "an object is needed");
}
