import { PapaError } from "@papa-events/core";
import { type Address, type BrokerUrl, InvalidUrl, parseBrokerUrl, showAddress } from "./broker-url.ts";

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
  /** `amqp://user:password@host:port,host:port/vhost`, or `amqps:` for TLS. Any one of the hosts that answers will do. */
  readonly uri: string;
  /** The namespace: several systems share one broker without seeing each other. The original's names unless set. */
  readonly prefix?: string | undefined;
  /** Seconds between heartbeats; a connection is lost after about two without one. 20 unless set. */
  readonly heartbeat?: number | undefined;
  /** Milliseconds that connecting may take, all hosts together; 8,000 unless set. */
  readonly connectTimeout?: number | undefined;
  /** Whether published events carry the attributes of CloudEvents as headers (`cloudEvents:id` ...), for other programs; `false` unless set. */
  readonly cloudEvents?: boolean | undefined;
  /** Certificates for `amqps:`. */
  readonly tls?: TlsOptions | undefined;
}

/** Checked options, with the URL taken apart. */
export interface Target {
  readonly protocol: "amqp" | "amqps";
  /** Tried one after the other; at least one. */
  readonly addresses: readonly Address[];
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
  readonly prefix: string;
  readonly heartbeat: number;
  readonly connectTimeout: number;
  readonly cloudEvents: boolean;
  readonly tls: TlsOptions;
}

const OPTIONS = ["uri", "prefix", "heartbeat", "connectTimeout", "cloudEvents", "tls"];
/** Query parameters of a URL; any other would be ignored in silence, so it is refused. */
const PARAMETERS = ["prefix", "heartbeat", "connectTimeout", "cloudEvents"];
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
  const { parameters, ...url } = parseUrl(options.uri);
  // Nothing of the URL is shown, not even a parameter's name: it may be the end of a password.
  if ([...parameters.keys()].some((name) => !PARAMETERS.includes(name)))
    throw invalid("amqp URL", `it has an unknown parameter; the parameters are ${PARAMETERS.join(", ")}`);
  if (options.tls !== undefined && url.protocol === "amqp")
    throw invalid("amqp: tls", "it needs a URL that starts with amqps:");
  const given = (name: "prefix" | "heartbeat" | "connectTimeout" | "cloudEvents"): Given => {
    const value = options[name];
    return value === undefined
      ? { value: parameters.get(name) ?? undefined, isShown: false }
      : { value, isShown: true };
  };
  return {
    ...url,
    prefix: prefixOf(given("prefix")),
    heartbeat: integer("heartbeat", given("heartbeat"), 20, 1, 600),
    connectTimeout: integer("connectTimeout", given("connectTimeout"), 8_000, 100, 600_000),
    cloudEvents: flag("cloudEvents", given("cloudEvents")),
    tls: options.tls ?? {},
  };
}

/** A value, and whether it may be shown: one from a URL may be part of a password. */
interface Given {
  readonly value: unknown;
  readonly isShown: boolean;
}

/** The broker's addresses for messages, without user and password. */
export function addressOf({ protocol, addresses, vhost }: Target): string {
  return `${protocol}://${addresses.map(showAddress).join(",")}/${vhost === "/" ? "" : encodeURIComponent(vhost)}`;
}

function parseUrl(uri: string): BrokerUrl {
  try {
    return parseBrokerUrl(uri);
  } catch (error) {
    throw error instanceof InvalidUrl ? invalid("amqp URL", error.message) : error;
  }
}

function prefixOf({ value, isShown }: Given): string {
  if (value === undefined || value === "") return "";
  if (typeof value === "string" && PREFIX.test(value)) return value;
  throw invalid("amqp: prefix", `${shown(value, isShown)} is not 1 to 30 of a-z, 0-9 and single "-"`);
}

function integer(name: string, { value, isShown }: Given, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback;
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= min && number <= max) return number;
  throw invalid(`amqp: ${name}`, `${shown(value, isShown)} is not a whole number from ${min} to ${max}`);
}

function flag(name: string, { value, isShown }: Given): boolean {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  if (!isShown && (value === "true" || value === "false")) return value === "true";
  throw invalid(`amqp: ${name}`, `${shown(value, isShown)} is neither true nor false`);
}

function shown(value: unknown, isShown: boolean): string {
  return isShown ? JSON.stringify(value) : "what the URL gives";
}

function invalid(option: string, problem: string): PapaError {
  return new PapaError("invalid-option", `${option}: ${problem}.`, { option, problem });
}
