import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { PapaError } from "../errors/papa-error.ts";
import { invalidOption } from "../options/check-options.ts";
import type { Connection, ConnectOptions, Transport } from "./transport.ts";

/** Makes a transport of a URL. Each adapter exports one as `fromUri`. */
export type TransportFactory = (uri: string) => Transport;

/** The adapters' packages by URL scheme. */
const PACKAGES: Readonly<Record<string, string>> = {
  memory: "@papa-events/transport-memory",
  amqp: "@papa-events/transport-amqp",
  amqps: "@papa-events/transport-amqp",
  kafka: "@papa-events/transport-kafka",
  kafkas: "@papa-events/transport-kafka",
  redis: "@papa-events/transport-redis-streams",
  rediss: "@papa-events/transport-redis-streams",
};

/**
 * The transport of a URL, by its scheme. The adapter is loaded when it first connects.
 *
 * @param factories transports by scheme, for bundled apps and transports of one's own; they go before the known ones
 * @throws PapaError `unknown-scheme` at the call; `transport-not-installed` rejects `start()`
 * @example new PapaApp({ transport: transportFromUri(process.env.BROKER_URL ?? "memory:") });
 */
export function transportFromUri(uri: string, factories: Readonly<Record<string, TransportFactory>> = {}): Transport {
  if (typeof uri !== "string")
    throw invalidOption("transportFromUri", `a URL is needed, not a value of type ${typeof uri}`);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase() ?? "";
  const factory = Object.hasOwn(factories, scheme) ? factories[scheme] : undefined;
  if (factory !== undefined) return factory(uri);
  const packageName = Object.hasOwn(PACKAGES, scheme) ? PACKAGES[scheme] : undefined;
  if (packageName !== undefined) return new LateTransport(scheme, packageName, uri);
  const known = [...new Set([...Object.keys(factories), ...Object.keys(PACKAGES)])];
  const found =
    scheme === "" ? "The transport URL has no scheme" : `"${scheme}:" is not a known scheme of a transport URL`;
  throw new PapaError("unknown-scheme", `${found}; there are ${known.map((each) => `${each}:`).join(", ")}.`, {
    scheme,
    known,
  });
}

/** A transport whose package is loaded when it first connects; the same transport ever after. */
class LateTransport implements Transport {
  readonly name: string;
  readonly #scheme: string;
  readonly #package: string;
  readonly #uri: string;
  #loading: Promise<Transport> | undefined;

  constructor(scheme: string, packageName: string, uri: string) {
    this.name = packageName.replace("@papa-events/transport-", "");
    this.#scheme = scheme;
    this.#package = packageName;
    this.#uri = uri;
  }

  async connect(options: ConnectOptions): Promise<Connection> {
    this.#loading ??= this.#load();
    try {
      return await (await this.#loading).connect(options);
    } catch (error) {
      this.#loading = (await Promise.allSettled([this.#loading]))[0]?.status === "rejected" ? undefined : this.#loading;
      throw error;
    }
  }

  async #load(): Promise<Transport> {
    const adapter = (await this.#importFromHere()) ?? (await this.#importFromProgram());
    if (adapter !== undefined) return adapter.fromUri(this.#uri);
    const message =
      `The URL scheme "${this.#scheme}:" needs a package that is not installed: npm install ${this.#package}. ` +
      `A bundled program imports it itself: import { fromUri } from "${this.#package}"; ` +
      `transportFromUri(url, { ${this.#scheme}: fromUri }).`;
    throw new PapaError("transport-not-installed", message, { scheme: this.#scheme, package: this.#package });
  }

  /** Next to core, where package managers put a peer. The name is a variable, so that no bundler follows it. */
  async #importFromHere(): Promise<Adapter | undefined> {
    try {
      return (await import(this.#package)) as Adapter;
    } catch (error) {
      if (isMissing(error, this.#package)) return undefined;
      throw error;
    }
  }

  /** From the program's entry point: a strict package manager shows core only what core depends on. */
  async #importFromProgram(): Promise<Adapter | undefined> {
    const entry = process.argv[1];
    if (entry === undefined) return undefined;
    let file: string;
    try {
      file = createRequire(entry).resolve(this.#package);
    } catch {
      return undefined;
    }
    return (await import(pathToFileURL(file).href)) as Adapter;
  }
}

interface Adapter {
  readonly fromUri: TransportFactory;
}

/** Whether the package itself is missing, and not something that it imports. */
function isMissing(error: unknown, packageName: string): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "ERR_MODULE_NOT_FOUND" &&
    error.message.includes(`'${packageName}'`)
  );
}
