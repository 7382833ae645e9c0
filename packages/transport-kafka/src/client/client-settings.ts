import type { TlsOptions } from "./options.ts";

/** How a client reaches the cluster. */
export interface ClientSettings {
  readonly brokers: readonly Address[];
  readonly clientId: string;
  readonly requestTimeout: number;
  readonly connectTimeout: number;
  /** As kafkajs takes it. */
  readonly sasl?: Readonly<Record<string, unknown>> | undefined;
  readonly tls?: TlsOptions | undefined;
  /** Where to connect for a broker's address. */
  readonly route: (host: string, port: number) => Address;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}
