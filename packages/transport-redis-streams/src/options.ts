import type { ConnectionOptions as TlsOptions } from "node:tls";
import { type Duration, PapaError } from "@papa-events/core";
import { assertKnownOptions, integerOption, invalidOption, toMilliseconds } from "@papa-events/core/transport";
import { Cluster, type ClusterNode, type ClusterOptions, Redis, type RedisOptions } from "ioredis";

/** A Redis Cluster. */
export interface ClusterTarget {
  /** Some of its nodes, as ioredis takes them. */
  readonly nodes: readonly ClusterNode[];
  readonly options?: ClusterOptions | undefined;
}

/** How to reach a Redis: exactly one of `uri`, `connection`, `cluster` and `client`, and what else is to be set. */
export interface RedisStreamsOptions {
  /** `redis://user:password@host:port/database`, or `rediss:` for TLS. */
  readonly uri?: string | undefined;
  /** Options of ioredis: Sentinel, certificates, anything that a URL cannot say. */
  readonly connection?: RedisOptions | undefined;
  /** A Redis Cluster: all keys of a namespace are on one shard of it. */
  readonly cluster?: ClusterTarget | undefined;
  /** An instance of ioredis whose settings are used; the connections are this library's own, and the instance stays yours. */
  readonly client?: Redis | Cluster | undefined;
  /** Certificates for a URL that begins `rediss:`, as Node.js's `tls.connect` takes them. */
  readonly tls?: TlsOptions | undefined;
  /** The namespace: several systems share one server without seeing each other; none unless set. */
  readonly prefix?: string | undefined;
  /**
   * How long an instance that gives no sign of life keeps its events, in milliseconds or as `"15s"`; 15 s unless set.
   * A shorter one takes over from the dead sooner, and from those that merely hang as well.
   */
  readonly lease?: Duration | undefined;
  /**
   * When an event counts as published: `"local"`, once the server has it (and, as it is set up, on its disk a second
   * later), or `"replicated"`, once a replica has it too. `"local"` unless set.
   */
  readonly durability?: "local" | "replicated" | undefined;
  /** Milliseconds that connecting may take; 8,000 unless set. */
  readonly connectTimeout?: number | undefined;
}

/** What every connection is made with, whatever was asked for. */
export type ConnectionSettings = Pick<
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

/** Options checked. */
export interface Target {
  /** Where the server is, for messages: without user and password. */
  readonly address: string;
  readonly prefix: string;
  /** Milliseconds. */
  readonly lease: number;
  readonly durability: "local" | "replicated";
  readonly connectTimeout: number;
  /** The database's number. */
  readonly database: number;
  /** Makes a client that has not connected yet. */
  readonly client: (settings: ConnectionSettings) => Redis | Cluster;
}

const KNOWN = ["uri", "connection", "cluster", "client", "tls", "prefix", "lease", "durability", "connectTimeout"];
const WAYS = ["uri", "connection", "cluster", "client"] as const;
/** Query parameters of a URL; a URL that sets another one asks for something it would not get. */
const PARAMETERS = ["prefix", "lease", "durability", "connectTimeout"] as const;
/** The shapes of replies that this library reads, whatever the user's own client is set to. */
const SHAPES = { replyMapping: "legacy", stringNumbers: false, enableAutoPipelining: false } as const;
const PREFIX = /^(?!.*--)[a-z0-9-]{1,30}$/;
/** A shorter lease would end in any pause of Node.js's garbage collection. */
const LEAST_LEASE = 500;

/** @throws PapaError `invalid-option` */
export function readOptions(given: RedisStreamsOptions): Target {
  assertKnownOptions(given, KNOWN, "redisStreams");
  const options = given as RedisStreamsOptions;
  const ways = WAYS.filter((way) => options[way] !== undefined);
  if (ways.length !== 1) throw invalidOption("redisStreams", `exactly one of ${WAYS.join(", ")} is needed`);
  if (options.tls !== undefined && options.uri === undefined)
    throw invalidOption("redisStreams: tls", "it goes with a URL; put it into the options of ioredis");
  const url = options.uri === undefined ? undefined : parseUrl(options.uri);
  const query = (name: (typeof PARAMETERS)[number]): string | undefined => url?.searchParams.get(name) ?? undefined;
  const durability = durabilityOf(options.durability ?? query("durability"));
  // WAIT speaks of the connection it is sent on, and a cluster's client has several.
  if (durability === "replicated" && (options.cluster !== undefined || options.client?.isCluster === true))
    throw invalidOption("redisStreams: durability", '"replicated" cannot be had on a cluster');
  const timeout = options.connectTimeout ?? numberOf(query("connectTimeout"));
  return {
    ...whereabouts(options, url),
    prefix: prefixOf(options.prefix ?? query("prefix")),
    lease: leaseOf(options.lease ?? numberOrText(query("lease"))),
    durability,
    connectTimeout: integerOption(timeout, 8_000, "redisStreams: connectTimeout", 100, 600_000),
  };
}

function whereabouts(
  options: RedisStreamsOptions,
  url: URL | undefined,
): Pick<Target, "address" | "database" | "client"> {
  const { connection, cluster, client, tls } = options;
  if (url !== undefined) return single(optionsOf(url, tls), url.protocol);
  if (connection !== undefined) {
    assertObject(connection, "connection");
    return single(connection, connection.tls === undefined ? "redis:" : "rediss:");
  }
  if (client instanceof Redis) return single(client.options, client.options.tls === undefined ? "redis:" : "rediss:");
  if (client !== undefined) {
    if (client.isCluster !== true || typeof client.duplicate !== "function")
      throw invalidOption("redisStreams: client", "it is no instance of ioredis 6");
    return {
      address: "cluster of the given client",
      database: 0,
      client: (settings) => client.duplicate([], clusterOptions(client.options as ClusterOptions, settings)),
    };
  }
  assertObject(cluster, "cluster");
  const { nodes, options: own = {} } = cluster as ClusterTarget;
  if (!Array.isArray(nodes) || nodes.length === 0)
    throw invalidOption("redisStreams: cluster", "nodes lists some of its nodes");
  return {
    address: `redis://${nodes.map(nameOf).join(",")}`,
    database: 0,
    client: (settings) => new Cluster([...nodes], clusterOptions(own, settings)),
  };
}

function single(options: RedisOptions, protocol: string): Pick<Target, "address" | "database" | "client"> {
  const { host = "localhost", port = 6_379, path, sentinels, name, db = 0 } = options;
  const place =
    sentinels === null || sentinels === undefined
      ? (path ?? `${protocol}//${host.includes(":") ? `[${host}]` : host}:${port}`)
      : `${protocol}//${sentinels.map((each) => `${each.host}:${each.port ?? 26_379}`).join(",")} (Sentinel, "${name ?? ""}")`;
  return {
    address: `${place}${db === 0 ? "" : `/${db}`}`,
    database: db,
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
    clusterRetryStrategy: (times: number) => retryStrategy?.(times) ?? null,
    redisOptions: { ...own.redisOptions, ...rest, ...SHAPES },
  };
}

function nameOf(node: ClusterNode): string {
  if (typeof node === "number") return `localhost:${node}`;
  if (typeof node === "string") return URL.canParse(node) ? new URL(node).host : node.replace(/^.*@/, "");
  return `${node.host ?? "localhost"}:${node.port ?? 6_379}`;
}

/** The URL itself is in no message: it may hold a password even where it cannot be parsed. */
function parseUrl(uri: unknown): URL {
  const url = typeof uri === "string" && URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || (url.protocol !== "redis:" && url.protocol !== "rediss:") || url.hostname === "") {
    const hint = "a special character in the user or password has to be percent-encoded";
    throw invalidOption("redis URL", `it is not of the form redis://user:password@host:port/database; ${hint}`);
  }
  for (const name of url.searchParams.keys()) {
    if (!(PARAMETERS as readonly string[]).includes(name))
      throw invalidOption("redis URL", `"${name}" is no parameter; there are ${PARAMETERS.join(", ")}`);
  }
  return url;
}

function optionsOf(url: URL, tls: TlsOptions | undefined): RedisOptions {
  const secure = url.protocol === "rediss:";
  if (tls !== undefined && !secure) throw invalidOption("redisStreams: tls", "it needs a URL that begins rediss:");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const database = url.pathname.length > 1 ? url.pathname.slice(1) : "0";
  if (!/^\d{1,6}$/.test(database))
    throw invalidOption("redis URL", `the database after the host is no number: ${JSON.stringify(database)}`);
  return {
    host,
    port: url.port === "" ? 6_379 : Number(url.port),
    db: Number(database),
    ...(url.username === "" ? {} : { username: decode(url.username) }),
    ...(url.password === "" ? {} : { password: decode(url.password) }),
    ...(secure ? { tls: { ...tls } } : {}),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidOption("redis URL", 'a "%" in it is not followed by two hex digits; write "%25" for the sign itself');
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function prefixOf(prefix: string | undefined): string {
  if (prefix === undefined || prefix === "") return "";
  if (typeof prefix === "string" && PREFIX.test(prefix)) return prefix;
  throw invalidOption("redisStreams: prefix", `${JSON.stringify(prefix)} is not 1 to 30 of a-z, 0-9 and single "-"`);
}

/** In a URL a number is text. */
function numberOrText(text: string | undefined): Duration | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : (text as Duration | undefined);
}

function leaseOf(lease: Duration | undefined): number {
  if (lease === undefined) return 15_000;
  const milliseconds = toMilliseconds(lease, "redisStreams: lease");
  if (milliseconds >= LEAST_LEASE) return Math.ceil(milliseconds);
  throw invalidOption("redisStreams: lease", `${lease} is less than ${LEAST_LEASE} ms`);
}

function durabilityOf(durability: string | undefined): "local" | "replicated" {
  if (durability === undefined) return "local";
  if (durability === "local" || durability === "replicated") return durability;
  throw invalidOption("redisStreams: durability", `${JSON.stringify(durability)} is neither "local" nor "replicated"`);
}

function assertObject(value: unknown, option: string): void {
  if (typeof value === "object" && value !== null) return;
  throw new PapaError("invalid-option", `redisStreams: ${option}: an object is needed.`, {
    option: `redisStreams: ${option}`,
    problem: "an object is needed",
  });
}
