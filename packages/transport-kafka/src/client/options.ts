import { assertKnownOptions, integerOption, invalidOption } from "@papa-events/core/transport";
import type { Address } from "./client-settings.ts";
import { oauthBearer } from "./oauth-bearer.ts";

/** Certificates, as Node.js's `tls.connect` takes them. */
export interface TlsOptions {
  /** The authority that signed the brokers' certificates, where the machine does not know it. */
  readonly ca?: string | Buffer | (string | Buffer)[] | undefined;
  /** The client's certificate and key, in PEM. */
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  /** The client's certificate and key in one PKCS#12 file. */
  readonly pfx?: Buffer | undefined;
  readonly passphrase?: string | undefined;
  /** The name that the brokers' certificates have to show; each one's host unless set. */
  readonly servername?: string | undefined;
  /** `false` accepts any certificate; for tests only. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** How to log in, where a URL's user and password are not enough. */
export type SaslOptions =
  | {
      readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: "oauthbearer";
      /** Called for each new connection; resolves to a token that is valid now. When it rejects, it is called again later. */
      readonly token: () => Promise<string>;
    };

/** How to reach a cluster, and what to make there. */
export interface KafkaOptions {
  /** `kafka://user:password@host:port,host:port`, or `kafkas:` for TLS. */
  readonly uri: string;
  /** The namespace: several systems share one cluster without seeing each other. `papa` unless set. */
  readonly prefix?: string | undefined;
  readonly sasl?: SaslOptions | undefined;
  /** Certificates for `kafkas:`. */
  readonly tls?: TlsOptions | undefined;
  /** Partitions of each topic of events, and of each use case's ready topic, that is made; 6 unless set. */
  readonly partitions?: number | undefined;
  /** Copies of each topic that is made; 3 unless set, or as many as there are brokers. */
  readonly replicationFactor?: number | undefined;
  /** How many copies have to be written before an event counts as stored; 2 unless set, 1 with a single copy. */
  readonly minInsyncReplicas?: number | undefined;
  /** Whether missing topics are made; `true` unless set. */
  readonly createTopics?: boolean | undefined;
  /** Milliseconds without a sign of life after which an instance's events go to others; 10,000 unless set. */
  readonly sessionTimeout?: number | undefined;
  /** Milliseconds that connecting may take; 5,000 unless set. */
  readonly connectTimeout?: number | undefined;
  /** Milliseconds that an answer may take before the connection counts as lost; 15,000 unless set. */
  readonly requestTimeout?: number | undefined;
  /** Where to connect for the address that a broker gives itself, such as the near end of a tunnel. */
  readonly route?: ((host: string, port: number) => Address) | undefined;
}

/** Options checked and taken apart. */
export interface Target {
  readonly brokers: readonly Address[];
  readonly secure: boolean;
  readonly sasl: Readonly<Record<string, unknown>> | undefined;
  readonly tls: TlsOptions | undefined;
  readonly prefix: string;
  readonly partitions: number;
  readonly replicationFactor: number | undefined;
  readonly minInsyncReplicas: number | undefined;
  readonly createTopics: boolean;
  readonly sessionTimeout: number;
  readonly connectTimeout: number;
  readonly requestTimeout: number;
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
  "sessionTimeout",
  "connectTimeout",
  "requestTimeout",
  "route",
];
/** Query parameters of a URL; a URL that sets another one asks for something it would not get. */
const PARAMETERS = [
  "prefix",
  "mechanism",
  "partitions",
  "replicationFactor",
  "minInsyncReplicas",
  "createTopics",
  "sessionTimeout",
  "connectTimeout",
  "requestTimeout",
];
const PREFIX = /^(?!.*--)[a-z0-9-]{1,30}$/;
const MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512"];
const DEFAULT_PORT = 9_092;

/** @throws PapaError `invalid-option` */
export function readUri(uri: string): Target {
  return readOptions({ uri });
}

/** @throws PapaError `invalid-option` */
export function readOptions(options: KafkaOptions): Target {
  assertKnownOptions(options, KNOWN, "kafka");
  if (typeof options.uri !== "string")
    throw invalidOption("kafka", 'a URL such as "kafka://localhost:9092" is needed, or options with one as uri');
  const { secure, brokers, username, password, query } = parseUri(options.uri);
  for (const name of query.keys()) {
    if (!PARAMETERS.includes(name))
      throw invalidOption("kafka URL", `"${name}" is no parameter; there are ${PARAMETERS.join(", ")}`);
  }
  if (options.tls !== undefined && !secure) throw invalidOption("kafka: tls", "it needs a URL that begins kafkas:");
  const number = (name: NumberOption, fallback: number, least: number, most: number) =>
    integerOption(options[name] ?? numeric(query.get(name)), fallback, `kafka: ${name}`, least, most);
  const optional = (name: NumberOption, most: number) =>
    (options[name] ?? query.get(name) ?? undefined) === undefined ? undefined : number(name, 1, 1, most);
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
    sessionTimeout: number("sessionTimeout", 10_000, 500, 1_800_000),
    connectTimeout: number("connectTimeout", 5_000, 100, 600_000),
    requestTimeout: number("requestTimeout", 15_000, 1_000, 600_000),
    route: options.route ?? ((host, port) => ({ host, port })),
  };
}

/** Where the cluster is, for messages: without user and password. */
export function addressOf({ secure, brokers }: Pick<Target, "secure" | "brokers">): string {
  const list = brokers.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`);
  return `${secure ? "kafkas" : "kafka"}://${list.join(",")}`;
}

type NumberOption =
  | "partitions"
  | "replicationFactor"
  | "minInsyncReplicas"
  | "sessionTimeout"
  | "connectTimeout"
  | "requestTimeout";

interface ParsedUri {
  readonly secure: boolean;
  readonly brokers: readonly Address[];
  readonly username: string;
  readonly password: string;
  readonly query: URLSearchParams;
}

/** A URL may name several hosts, which `URL` does not know. The text itself is in no message: it may hold a password. */
function parseUri(uri: string): ParsedUri {
  const parts = /^(kafkas?):\/\/(?:([^@/?]*)@)?([^@/?]+)\/?(?:\?(.*))?$/.exec(uri);
  if (parts === null) {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1];
    const other = scheme === undefined || /^kafkas?$/.test(scheme) ? "" : ` It begins with "${scheme}:".`;
    const hint = "a special character in the user or password has to be percent-encoded";
    throw invalidOption(
      "kafka URL",
      `it is not of the form kafka://user:password@host:port,host:port?prefix=namespace; ${hint}.${other}`.replace(
        /\.$/,
        "",
      ),
    );
  }
  const [, scheme, credentials = "", hosts = "", query = ""] = parts;
  const colon = credentials.indexOf(":");
  return {
    secure: scheme === "kafkas",
    brokers: hosts.split(",").map(readHost),
    username: decode(colon === -1 ? credentials : credentials.slice(0, colon)),
    password: decode(colon === -1 ? "" : credentials.slice(colon + 1)),
    query: new URLSearchParams(query),
  };
}

function readHost(text: string): Address {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = parts?.[1] ?? parts?.[2];
  const port = parts?.[3] === undefined ? DEFAULT_PORT : Number(parts[3]);
  if (host === undefined || port < 1 || port > 65_535)
    throw invalidOption("kafka URL", `"${text}" is no host or host:port`);
  return { host, port };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidOption("kafka URL", 'a "%" in it is not followed by two hex digits; write "%25" for the sign itself');
  }
}

function saslOf(
  sasl: SaslOptions | undefined,
  username: string,
  password: string,
  mechanism: string | null,
): Target["sasl"] {
  if (sasl !== undefined) {
    if (sasl.mechanism === "oauthbearer") {
      const { token } = sasl;
      if (typeof token !== "function")
        throw invalidOption("kafka: sasl", "oauthbearer needs `token`, a function that resolves to one");
      return { mechanism: "oauthbearer", authenticationProvider: oauthBearer(token) };
    }
    assertMechanism(sasl.mechanism);
    return { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password };
  }
  if (mechanism !== null) assertMechanism(mechanism.toLowerCase());
  if (username === "" && password === "") {
    if (mechanism === null) return undefined;
    throw invalidOption("kafka URL", "a mechanism needs a user and a password in the URL");
  }
  return { mechanism: mechanism?.toLowerCase() ?? "plain", username, password };
}

function assertMechanism(mechanism: string): void {
  if (MECHANISMS.includes(mechanism)) return;
  const all = `${MECHANISMS.join(", ")}, or oauthbearer by options`;
  throw invalidOption("kafka: mechanism", `${JSON.stringify(mechanism)} is none of ${all}`);
}

function prefixOf(prefix: string): string {
  if (typeof prefix === "string" && PREFIX.test(prefix)) return prefix;
  throw invalidOption("kafka: prefix", `${JSON.stringify(prefix)} is not 1 to 30 of a-z, 0-9 and single "-"`);
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
