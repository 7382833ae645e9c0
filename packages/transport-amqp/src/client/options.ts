import { PapaError } from "@papa-events/core";

/** Certificates, as Node.js's `tls.connect` takes them. */
export interface TlsOptions {
  /** The authority that signed the broker's certificate, unless the machine trusts it already. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** The client's certificate and key, in PEM. */
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  /** The client's certificate and key in one PKCS#12 file. */
  readonly pfx?: Buffer | undefined;
  readonly passphrase?: string | undefined;
  /** The name that the broker's certificate must be for; the host unless set. */
  readonly servername?: string | undefined;
  /** `false` accepts any certificate; for tests only. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** How to reach a broker. */
export interface AmqpOptions {
  /** `amqp://user:password@host:port/vhost`, or `amqps:` for TLS. */
  readonly uri: string;
  /** The namespace: several systems share one broker without seeing each other. The original's names unless set. */
  readonly prefix?: string | undefined;
  /** Seconds between heartbeats; a connection is lost after about two without one. 20 unless set. */
  readonly heartbeat?: number | undefined;
  /** Milliseconds that connecting may take; 8,000 unless set. */
  readonly connectTimeout?: number | undefined;
  /** Certificates for `amqps:`. */
  readonly tls?: TlsOptions | undefined;
}

/** Checked options, with the URL taken apart. */
export interface Target {
  readonly protocol: "amqp" | "amqps";
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
  readonly prefix: string;
  readonly heartbeat: number;
  readonly connectTimeout: number;
  readonly tls: TlsOptions;
}

const OPTIONS = ["uri", "prefix", "heartbeat", "connectTimeout", "tls"];
/** Query parameters of a URL; any other would be ignored in silence, so it is refused. */
const PARAMETERS = ["prefix", "heartbeat", "connectTimeout"];
const PREFIX = /^(?!.*--)[a-z0-9-]{1,30}$/;

/** Reads a URL. @throws PapaError `invalid-option` */
export function readUri(uri: string): Target {
  return readOptions({ uri });
}

/** Checks options and takes their URL apart. @throws PapaError `invalid-option` */
export function readOptions(options: AmqpOptions): Target {
  if (typeof options !== "object" || options === null || typeof options.uri !== "string")
    throw invalid("amqp", 'a URL such as "amqp://localhost" is needed, or options with one as uri');
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name))
      throw invalid("amqp", `unknown option "${name}"; the options are ${OPTIONS.join(", ")}`);
  }
  const url = parseUrl(options.uri);
  const query = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  for (const name of url.searchParams.keys()) {
    if (!PARAMETERS.includes(name))
      throw invalid("amqp URL", `unknown parameter "${name}"; the parameters are ${PARAMETERS.join(", ")}`);
  }
  const protocol = url.protocol === "amqps:" ? "amqps" : "amqp";
  if (options.tls !== undefined && protocol === "amqp")
    throw invalid("amqp: tls", "it needs a URL that starts with amqps:");
  const anonymous = url.username === "" && url.password === "";
  return {
    protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (protocol === "amqp" ? 5672 : 5671) : Number(url.port),
    username: anonymous ? "guest" : decode(url.username),
    password: anonymous ? "guest" : decode(url.password),
    vhost: url.pathname.length > 1 ? decode(url.pathname.slice(1)) : "/",
    prefix: prefixOf(options.prefix ?? query("prefix")),
    heartbeat: integer("heartbeat", options.heartbeat ?? query("heartbeat"), 20, 1, 600),
    connectTimeout: integer("connectTimeout", options.connectTimeout ?? query("connectTimeout"), 8_000, 100, 600_000),
    tls: options.tls ?? {},
  };
}

/** The broker's address for messages, without user and password. */
export function addressOf(target: Target): string {
  const host = target.hostname.includes(":") ? `[${target.hostname}]` : target.hostname;
  return `${target.protocol}://${host}:${target.port}/${target.vhost === "/" ? "" : encodeURIComponent(target.vhost)}`;
}

/** Keeps the URL out of every message: it may hold a password even if it cannot be parsed. */
function parseUrl(uri: string): URL {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || (url.protocol !== "amqp:" && url.protocol !== "amqps:") || url.hostname === "") {
    const hint = "a special character in the user or password must be percent-encoded";
    throw invalid("amqp URL", `it is not of the form amqp://user:password@host:port/vhost; ${hint}`);
  }
  return url;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("amqp URL", 'a "%" in it is not followed by two hex digits; write "%25" for the sign itself');
  }
}

function prefixOf(prefix: string | undefined): string {
  if (prefix === undefined || prefix === "") return "";
  if (typeof prefix === "string" && PREFIX.test(prefix)) return prefix;
  throw invalid("amqp: prefix", `${JSON.stringify(prefix)} is not 1 to 30 of a-z, 0-9 and single "-"`);
}

function integer(name: string, value: unknown, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback;
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= min && number <= max) return number;
  throw invalid(`amqp: ${name}`, `${JSON.stringify(value)} is not a whole number from ${min} to ${max}`);
}

function invalid(option: string, problem: string): PapaError {
  return new PapaError("invalid-option", `${option}: ${problem}.`, { option, problem });
}
