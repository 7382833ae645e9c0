import type { ConnectionOptions as TlsOptions } from "node:tls";
import { invalidOption } from "@papa-events/core/transport";
import { Cluster, type ClusterNode, type ClusterOptions, Redis, type RedisOptions } from "ioredis";
import { PrimaryWatch } from "./primary-watch.ts";
import { toRedisOptions } from "./url.ts";

/** A Redis Cluster. */
export interface ClusterTarget {
  /** Some of its nodes, as ioredis takes them. */
  readonly nodes: readonly ClusterNode[];
  readonly options?: ClusterOptions | undefined;
}

/** The options that say where the server is. */
export interface EndpointOptions {
  /** Options of ioredis: Sentinel, certificates, anything that a URL cannot say. */
  readonly connection?: RedisOptions | undefined;
  /** A Redis Cluster: the keys of a namespace are on one node of it, or on one for each of its `shards`. */
  readonly cluster?: ClusterTarget | undefined;
  /** An instance of ioredis whose settings are used. The connections are this library's own; the instance stays yours. */
  readonly client?: Redis | Cluster | undefined;
  /** Certificates for a URL that begins `rediss:`, as Node.js's `tls.connect` takes them. */
  readonly tls?: TlsOptions | undefined;
}

/** Where the server is, and how to reach it. */
export interface Endpoint {
  /** For messages: without user and password. */
  readonly address: string;
  /** Makes a client that has not connected yet. */
  readonly makeClient: (settings: ConnectionSettings) => Redis | Cluster;
}

/** What the library sets on every connection, whatever the user's own options say. */
type ConnectionSettings = Pick<
  RedisOptions,
  | "autoResendUnfulfilledCommands"
  | "blockingTimeout"
  | "commandTimeout"
  | "connectionName"
  | "connectTimeout"
  | "enableOfflineQueue"
  | "keyPrefix"
  | "lazyConnect"
  | "maxLoadingRetryTime"
  | "maxRetriesPerRequest"
  | "reconnectOnError"
  | "retryStrategy"
  | "socketTimeout"
>;

/** The shapes of replies that this library reads, whatever the user's own client is set to. */
const REPLY_SHAPES = { replyMapping: "legacy", stringNumbers: false, enableAutoPipelining: false } as const;

/** Finds the endpoint that the options name. @throws PapaError `invalid-option` */
export function readEndpoint(options: EndpointOptions, url: URL | undefined): Endpoint {
  const { connection, cluster, client, tls } = options;
  if (url !== undefined) return single(toRedisOptions(url, tls), url.protocol);
  if (connection !== undefined) {
    assertObject(connection, "connection");
    return single(connection, connection.tls === undefined ? "redis:" : "rediss:");
  }
  if (client !== undefined) {
    // Not by instanceof: the program may have its own copy of ioredis.
    if (typeof client.duplicate !== "function" || typeof client.options !== "object")
      throw invalidOption("redisStreams: client", "it is not an instance of ioredis");
    if (!isCluster(client)) return single(client.options, client.options.tls === undefined ? "redis:" : "rediss:");
    return {
      address: "cluster of the given client",
      makeClient: (settings) => client.duplicate([], clusterOptions(client.options, settings)),
    };
  }
  assertObject(cluster, "cluster");
  const { nodes, options: own = {} } = cluster as ClusterTarget;
  if (!Array.isArray(nodes) || nodes.length === 0)
    throw invalidOption("redisStreams: cluster", "nodes must list at least one node");
  return {
    address: `redis://${nodes.map(nodeAddress).join(",")}`,
    makeClient: (settings) => new Cluster([...nodes], clusterOptions(own, settings)),
  };
}

function single(options: RedisOptions, protocol: string): Endpoint {
  const { host = "localhost", port = 6_379, path, sentinels, name, db = 0 } = options;
  const where =
    sentinels === null || sentinels === undefined
      ? (path ?? `${protocol}//${host.includes(":") ? `[${host}]` : host}:${port}`)
      : `${protocol}//${sentinels.map((each) => `${each.host}:${each.port ?? 26_379}`).join(",")} (Sentinel, "${name ?? ""}")`;
  const watch = sentinels === null || sentinels === undefined ? undefined : new PrimaryWatch(options);
  return {
    address: `${where}${db === 0 ? "" : `/${db}`}`,
    makeClient: (settings) => {
      const all = { ...options, ...settings, ...REPLY_SHAPES };
      return watch?.makeClient(all) ?? new Redis(all);
    },
  };
}

/** The client must not retry commands whose outcome is unknown: it cannot tell which are safe to repeat. */
function clusterOptions(own: ClusterOptions, settings: ConnectionSettings) {
  const { enableOfflineQueue, lazyConnect, retryStrategy, keyPrefix: _, ...rest } = settings;
  return {
    ...own,
    enableOfflineQueue: enableOfflineQueue ?? false,
    lazyConnect: lazyConnect ?? true,
    retryDelayOnFailover: 0,
    // A replica may not have what was just written.
    scaleReads: "master" as const,
    // The default of one second is too short for a node that many clients connect to at once.
    slotsRefreshTimeout: own.slotsRefreshTimeout ?? settings.connectTimeout ?? 8_000,
    clusterRetryStrategy: (times: number) => retryStrategy?.(times) ?? null,
    redisOptions: { ...own.redisOptions, ...rest, ...REPLY_SHAPES },
  };
}

function nodeAddress(node: ClusterNode): string {
  if (typeof node === "number") return `localhost:${node}`;
  if (typeof node === "string") return URL.canParse(node) ? new URL(node).host : node.replace(/^.*@/, "");
  return `${node.host ?? "localhost"}:${node.port ?? 6_379}`;
}

/** Whether a client is of a cluster: its types do not tell. */
export function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}

function assertObject(value: unknown, option: string): void {
  if (typeof value !== "object" || value === null)
    throw invalidOption(`redisStreams: ${option}`, "it must be an object");
}
