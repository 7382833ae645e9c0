import type { ConnectionOptions } from "node:tls";
import type { ProtocolVersions } from "./kafka-client.ts";
import type { SaslOptions } from "./options.ts";

/**
 * What a Kafka library is used for: it connects, logs in, and carries requests and responses that are bytes. What is in
 * them, their time limits, and what a lost connection means for those who wait is the transport's own and common to all.
 */
export type Engine = (target: EngineTarget, onEnd: () => void) => EngineConnection;

export interface EngineTarget {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly connectTimeout: number;
  readonly sasl: SaslOptions | undefined;
  readonly tls: ConnectionOptions | undefined;
}

/** One connection to one broker, which calls `onEnd` when it is closed. Its members reject with a `KafkaError`. */
export interface EngineConnection {
  /** Connects within `connectTimeout`. An engine that need not know the broker's versions logs in, too. */
  connect(): Promise<void>;
  /** Logs in, if that is not done yet. */
  login(versions: ProtocolVersions): Promise<void>;
  /** Sends requests in the order of the calls, and resolves to the response without the number that tells which request it answers. */
  send(request: EncodedRequest): Promise<Buffer>;
  /** Closes the socket at once, whatever goes on; promises that are pending may stay so. */
  destroy(): void;
}

export interface EncodedRequest {
  /** The name and the number of the request. */
  readonly api: string;
  readonly key: number;
  readonly version: number;
  /** What follows the client's name in the request's header, and the body. */
  readonly body: Buffer;
}

/** How often a connection that nobody uses is probed. */
export const KEEP_ALIVE_MS = 60_000;
