import type { Connection, ConnectOptions, Transport } from "@papa-events/core/transport";
import { RedisStreamsConnection } from "./connection.ts";
import type { Target } from "./options.ts";

/** A Redis, a database of it, and a namespace in that. */
export class RedisStreamsTransport implements Transport {
  readonly name = "redis-streams";
  /** Where the server is, without user and password. */
  readonly address: string;
  readonly #target: Target;

  /** @internal Made by `redisStreams()`. */
  constructor(target: Target) {
    this.#target = target;
    this.address = target.address;
  }

  connect(options: ConnectOptions): Promise<Connection> {
    return RedisStreamsConnection.open(this.#target, options);
  }
}
