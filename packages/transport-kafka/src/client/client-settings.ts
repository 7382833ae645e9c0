import type { Compression } from "../wire/compression.ts";
import type { Engine } from "./engine.ts";
import type { SaslOptions, TlsOptions } from "./options.ts";
import type { Address } from "./uri.ts";

/** How a client reaches the cluster. */
export interface ClientSettings {
  readonly engine: Engine;
  readonly brokers: readonly Address[];
  readonly clientId: string;
  readonly requestTimeout: number;
  readonly connectTimeout: number;
  readonly sasl?: SaslOptions | undefined;
  readonly tls?: TlsOptions | undefined;
  /** How batches are compressed before they are sent. */
  readonly compression?: Compression | undefined;
  /** Maps a broker's advertised address to the one to connect to. */
  readonly route: (host: string, port: number) => Address;
}
