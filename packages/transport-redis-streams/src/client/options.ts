import type { Duration } from "@papa-events/core";
import { assertKnownOptions, integerOption, invalidOption, toMilliseconds } from "@papa-events/core/transport";
import { type Endpoint, type EndpointOptions, readEndpoint } from "./endpoint.ts";
import { type Parameter, parseUrl } from "./url.ts";

/** How to reach a Redis: exactly one of `uri`, `connection`, `cluster` and `client`, and any other option. */
export interface RedisStreamsOptions extends EndpointOptions {
  /** `redis://user:password@host:port/database`, or `rediss:` for TLS. */
  readonly uri?: string | undefined;
  /** The namespace: several systems share one server without seeing each other. None unless set. */
  readonly prefix?: string | undefined;
  /**
   * How long an instance that gives no sign of life keeps its events, in milliseconds or as `"15s"`; 15 s unless set.
   * With a shorter lease, others take over sooner from instances that died, and also from those that merely hang.
   */
  readonly lease?: Duration | undefined;
  /**
   * When an event counts as published. `"local"`: once the server has it (and, as it is set up, on its disk a second
   * later). `"replicated"`: once a replica has it too. `"local"` unless set.
   */
  readonly durability?: "local" | "replicated" | undefined;
  /**
   * Over how many hash tags the namespace is spread, so that several shards of a cluster carry it, 1 to 64. Unless set, as many as
   * the namespace has already, and 1 for a new one. All its apps must agree, so that it cannot be changed while it is in use.
   */
  readonly shards?: number | undefined;
  /** Milliseconds that connecting may take; 8,000 unless set. */
  readonly connectTimeout?: number | undefined;
}

/** Checked options. */
export interface Target extends Endpoint {
  readonly prefix: string;
  /** Milliseconds. */
  readonly lease: number;
  readonly durability: "local" | "replicated";
  /** As given; else what the namespace has decides. */
  readonly shards: number | undefined;
  readonly connectTimeout: number;
}

const KNOWN = [
  "uri",
  "connection",
  "cluster",
  "client",
  "tls",
  "prefix",
  "lease",
  "durability",
  "shards",
  "connectTimeout",
];
const WAYS = ["uri", "connection", "cluster", "client"] as const;
const PREFIX = /^(?!.*--)[a-z0-9-]{1,30}$/;
/** A shorter lease would end in any pause of Node.js's garbage collection. */
const MIN_LEASE_MS = 500;
const DEFAULT_LEASE_MS = 15_000;
const MAX_SHARDS = 64;

/** Checks options and fills in defaults. @throws PapaError `invalid-option` */
export function readOptions(given: RedisStreamsOptions): Target {
  assertKnownOptions(given, KNOWN, "redisStreams");
  const options = given as RedisStreamsOptions;
  const ways = WAYS.filter((way) => options[way] !== undefined);
  if (ways.length !== 1) throw invalidOption("redisStreams", `exactly one of ${WAYS.join(", ")} is needed`);
  if (options.tls !== undefined && options.uri === undefined)
    throw invalidOption("redisStreams: tls", "it needs a URL; without one, set tls in the options of ioredis");
  const url = options.uri === undefined ? undefined : parseUrl(options.uri);
  const query = (name: Parameter): string | undefined => url?.searchParams.get(name) ?? undefined;
  const durability = readDurability(options.durability ?? query("durability"));
  // WAIT speaks of the connection it is sent on, and a cluster's client has several.
  if (durability === "replicated" && (options.cluster !== undefined || options.client?.isCluster === true))
    throw invalidOption("redisStreams: durability", '"replicated" is not available on a cluster');
  const timeout = options.connectTimeout ?? toNumber(query("connectTimeout"));
  const shards = options.shards ?? toNumber(query("shards"));
  return {
    ...readEndpoint(options, url),
    prefix: readPrefix(options.prefix ?? query("prefix")),
    lease: readLease(options.lease ?? toNumberOrText(query("lease"))),
    durability,
    shards: shards === undefined ? undefined : integerOption(shards, 1, "redisStreams: shards", 1, MAX_SHARDS),
    connectTimeout: integerOption(timeout, 8_000, "redisStreams: connectTimeout", 100, 600_000),
  };
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function readPrefix(prefix: string | undefined): string {
  if (prefix === undefined || prefix === "") return "";
  if (typeof prefix === "string" && PREFIX.test(prefix)) return prefix;
  throw invalidOption("redisStreams: prefix", `${JSON.stringify(prefix)} is not 1 to 30 of a-z, 0-9 and single "-"`);
}

/** In a URL a number is text. */
function toNumberOrText(text: string | undefined): Duration | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : (text as Duration | undefined);
}

function readLease(lease: Duration | undefined): number {
  if (lease === undefined) return DEFAULT_LEASE_MS;
  const milliseconds = toMilliseconds(lease, "redisStreams: lease");
  if (milliseconds >= MIN_LEASE_MS) return Math.ceil(milliseconds);
  throw invalidOption("redisStreams: lease", `${lease} is less than ${MIN_LEASE_MS} ms`);
}

function readDurability(durability: string | undefined): "local" | "replicated" {
  if (durability === undefined) return "local";
  if (durability === "local" || durability === "replicated") return durability;
  throw invalidOption("redisStreams: durability", `${JSON.stringify(durability)} is neither "local" nor "replicated"`);
}
