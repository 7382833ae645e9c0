import { assertKnownOptions, integerOption, invalidOption } from "@papa-events/core/transport";
import { COMPRESSIONS, type Compression, canCompress } from "../wire/compression.ts";
import { type Address, parseUri } from "./uri.ts";

/** Certificates, in the form that Node.js's `tls.connect` takes. */
export interface TlsOptions {
  /** The authority that signed the brokers' certificates, if the machine does not trust it already. */
  readonly ca?: string | Buffer | (string | Buffer)[] | undefined;
  /** The client's certificate and key, in PEM. */
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  /** The client's certificate and key in one PKCS#12 file. */
  readonly pfx?: Buffer | undefined;
  readonly passphrase?: string | undefined;
  /** The name that the brokers' certificates must carry; each broker's host unless set. */
  readonly servername?: string | undefined;
  /** `false` accepts any certificate; for tests only. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** How to log in, if a URL's user and password are not enough. */
export type SaslOptions =
  | {
      readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: "oauthbearer";
      /** Resolves to a valid token. Called for each new connection, and again later if it rejects. */
      readonly token: () => Promise<string>;
      /** SASL extensions that are sent with the token, such as `logicalCluster` and `identityPoolId`. */
      readonly extensions?: Readonly<Record<string, string>> | undefined;
    };

/** How to reach a cluster, and which topics to create there. */
export interface KafkaOptions {
  /** The cluster's URL: `kafka://user:password@host:port,host:port`, or `kafkas:` for TLS. */
  readonly uri: string;
  /** The namespace, so that several systems share one cluster without seeing each other; `papa` unless set. */
  readonly prefix?: string | undefined;
  readonly sasl?: SaslOptions | undefined;
  /** Certificates for `kafkas:`. */
  readonly tls?: TlsOptions | undefined;
  /** Partitions of each event topic, and of each use case's ready topic, at creation; 6 unless set. */
  readonly partitions?: number | undefined;
  /** Replicas of each topic at creation; the cluster's own default unless set, or, where that is 1, up to 3. */
  readonly replicationFactor?: number | undefined;
  /** Replicas that must be written before an event counts as stored; 2 unless set, 1 with fewer than three replicas. */
  readonly minInsyncReplicas?: number | undefined;
  /** Whether missing topics are created; `true` unless set. */
  readonly createTopics?: boolean | undefined;
  /** How batches are compressed before they are sent; not at all unless set. `"zstd"` needs Node.js 22.15 or newer. */
  readonly compression?: "gzip" | "zstd" | undefined;
  /** Milliseconds without a heartbeat after which an instance's events go to others; 10,000 unless set. */
  readonly sessionTimeout?: number | undefined;
  /** Milliseconds that connecting may take; 5,000 unless set. */
  readonly connectTimeout?: number | undefined;
  /** Milliseconds that a response may take before the connection counts as lost; 15,000 unless set. */
  readonly requestTimeout?: number | undefined;
  /**
   * The library that connects and logs in; `"kafkajs"` unless set. `"platformatic"` needs the package `@platformatic/kafka`
   * and Node.js 22.22 or 24.6.
   */
  readonly engine?: "kafkajs" | "platformatic" | undefined;
  /** Maps a broker's advertised address to the one to connect to, such as the near end of a tunnel. */
  readonly route?: ((host: string, port: number) => Address) | undefined;
}

export type EngineName = NonNullable<KafkaOptions["engine"]>;

/** Validated options with all defaults filled in. */
export interface Target {
  readonly brokers: readonly Address[];
  readonly secure: boolean;
  readonly sasl: SaslOptions | undefined;
  readonly tls: TlsOptions | undefined;
  readonly prefix: string;
  readonly partitions: number;
  readonly replicationFactor: number | undefined;
  readonly minInsyncReplicas: number | undefined;
  readonly createTopics: boolean;
  readonly compression: Compression | undefined;
  readonly sessionTimeout: number;
  readonly connectTimeout: number;
  readonly requestTimeout: number;
  readonly engine: EngineName;
  readonly route: (host: string, port: number) => Address;
}

const KNOWN = [
  "uri",
  "prefix",
  "sasl",
  "tls",
  "partitions",
  "replicationFactor",
  "minInsyncReplicas",
  "createTopics",
  "compression",
  "sessionTimeout",
  "connectTimeout",
  "requestTimeout",
  "engine",
  "route",
];
/** Query parameters of a URL. Any other one is an error, because it would have no effect. */
const PARAMETERS = [
  "prefix",
  "mechanism",
  "partitions",
  "replicationFactor",
  "minInsyncReplicas",
  "createTopics",
  "compression",
  "sessionTimeout",
  "connectTimeout",
  "requestTimeout",
  "engine",
];
const PREFIX = /^(?!.*--)[a-z0-9-]{1,30}$/;
const MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512"] as const;
const ENGINES = ["kafkajs", "platformatic"] as const;

/** Reads options, or the URL alone. @throws PapaError `invalid-option` */
export function readOptions(target: string | KafkaOptions): Target {
  const options: KafkaOptions = typeof target === "string" ? { uri: target } : target;
  assertKnownOptions(options, KNOWN, "kafka");
  if (typeof options.uri !== "string")
    throw invalidOption("kafka", 'it needs a URL such as "kafka://localhost:9092", or options with one as `uri`');
  const { secure, brokers, username, password, query } = parseUri(options.uri);
  for (const name of query.keys()) {
    if (!PARAMETERS.includes(name))
      throw invalidOption("kafka URL", `unknown parameter "${name}"; the known ones are ${PARAMETERS.join(", ")}`);
  }
  if (options.tls !== undefined && !secure)
    throw invalidOption("kafka: tls", "it needs a URL that begins with kafkas:");
  const number = (name: NumberOption, fallback: number, min: number, max: number) =>
    integerOption(options[name] ?? numeric(query.get(name)), fallback, `kafka: ${name}`, min, max);
  const optional = (name: NumberOption, max: number) =>
    (options[name] ?? query.get(name) ?? undefined) === undefined ? undefined : number(name, 1, 1, max);
  return {
    brokers,
    secure,
    sasl: saslOf(options.sasl, username, password, query.get("mechanism")),
    tls: secure ? (options.tls ?? {}) : undefined,
    prefix: prefixOf(options.prefix ?? query.get("prefix") ?? "papa"),
    partitions: number("partitions", 6, 1, 10_000),
    replicationFactor: optional("replicationFactor", 100),
    minInsyncReplicas: optional("minInsyncReplicas", 100),
    createTopics: booleanOf(options.createTopics ?? query.get("createTopics") ?? true),
    compression: compressionOf(options.compression ?? query.get("compression") ?? undefined),
    sessionTimeout: number("sessionTimeout", 10_000, 500, 1_800_000),
    connectTimeout: number("connectTimeout", 5_000, 100, 600_000),
    requestTimeout: number("requestTimeout", 15_000, 1_000, 600_000),
    engine: engineOf(options.engine ?? query.get("engine") ?? "kafkajs"),
    route: options.route ?? ((host, port) => ({ host, port })),
  };
}

type NumberOption =
  | "partitions"
  | "replicationFactor"
  | "minInsyncReplicas"
  | "sessionTimeout"
  | "connectTimeout"
  | "requestTimeout";

function saslOf(
  sasl: SaslOptions | undefined,
  username: string,
  password: string,
  mechanism: string | null,
): Target["sasl"] {
  if (sasl !== undefined) {
    if (sasl.mechanism === "oauthbearer") {
      const { token, extensions = {} } = sasl;
      if (typeof token !== "function")
        throw invalidOption("kafka: sasl", "oauthbearer needs `token`, a function that resolves to a token");
      return { mechanism: "oauthbearer", token, extensions: validExtensions(extensions) };
    }
    const { username, password } = sasl;
    return { mechanism: mechanismOf(sasl.mechanism), username, password };
  }
  const known = mechanismOf(mechanism?.toLowerCase() ?? "plain");
  if (username === "" && password === "") {
    if (mechanism === null) return undefined;
    throw invalidOption("kafka URL", "`mechanism` needs a user and a password in the URL");
  }
  return { mechanism: known, username, password };
}

/** As RFC 7628 allows them. */
function validExtensions(extensions: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(extensions)) {
    if (
      !/^[A-Za-z]+$/.test(name) ||
      name === "auth" ||
      typeof value !== "string" ||
      !/^[\x20-\x7e\t\r\n]*$/.test(value)
    )
      throw invalidOption(
        "kafka: sasl",
        `${JSON.stringify(name)} is not a valid extension: names are letters, values printable ASCII`,
      );
  }
  return extensions;
}

function mechanismOf(mechanism: string): (typeof MECHANISMS)[number] {
  const found = MECHANISMS.find((each) => each === mechanism);
  if (found !== undefined) return found;
  const all = `${MECHANISMS.join(", ")}, or oauthbearer in the options`;
  throw invalidOption("kafka: mechanism", `${JSON.stringify(mechanism)} is not one of ${all}`);
}

function compressionOf(compression: unknown): Compression | undefined {
  if (compression === undefined) return undefined;
  const known = Object.keys(COMPRESSIONS) as Compression[];
  const found = known.find((each) => each === compression);
  if (found === undefined)
    throw invalidOption("kafka: compression", `${JSON.stringify(compression)} is not one of ${known.join(", ")}`);
  if (!canCompress(found)) throw invalidOption("kafka: compression", `${found} needs Node.js 22.15 or newer`);
  return found;
}

function engineOf(engine: unknown): EngineName {
  const found = ENGINES.find((each) => each === engine);
  if (found === undefined)
    throw invalidOption("kafka: engine", `${JSON.stringify(engine)} is not one of ${ENGINES.join(", ")}`);
  return found;
}

function prefixOf(prefix: string): string {
  if (typeof prefix === "string" && PREFIX.test(prefix)) return prefix;
  throw invalidOption(
    "kafka: prefix",
    `${JSON.stringify(prefix)} is not a valid prefix: use 1 to 30 of a-z, 0-9 and single "-"`,
  );
}

function booleanOf(value: unknown): boolean {
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw invalidOption("kafka: createTopics", `${JSON.stringify(value)} is neither true nor false`);
}

function numeric(text: string | null): unknown {
  if (text === null) return undefined;
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
