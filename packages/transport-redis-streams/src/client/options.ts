import type { ConnectionOptions as TlsOptions } from "node:tls";
import type { Duration } from "@papa-events/core";
import { assertKnownOptions, integerOption, invalidOption, toMilliseconds } from "@papa-events/core/transport";
import type { Cluster, ClusterNode, ClusterOptions, Redis, RedisOptions } from "ioredis";
import { type MakeClient, whereabouts } from "./endpoint.ts";
import { type Parameter, parseUrl } from "./url.ts";

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

/** Options checked. */
export interface Target {
  /** Where the server is, for messages: without user and password. */
  readonly address: string;
  readonly prefix: string;
  /** Milliseconds. */
  readonly lease: number;
  readonly durability: "local" | "replicated";
  readonly connectTimeout: number;
  /** Makes a client that has not connected yet. */
  readonly client: MakeClient;
}

const KNOWN = ["uri", "connection", "cluster", "client", "tls", "prefix", "lease", "durability", "connectTimeout"];
const WAYS = ["uri", "connection", "cluster", "client"] as const;
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
  const query = (name: Parameter): string | undefined => url?.searchParams.get(name) ?? undefined;
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
