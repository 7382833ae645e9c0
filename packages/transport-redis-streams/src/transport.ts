import type { Connection, ConnectOptions, Transport } from "@papa-events/core/transport";
import type { Target } from "./client/options.ts";
import { RedisStreamsConnection } from "./connection.ts";
import { openShards } from "./sharding/open-shards.ts";

/** A Redis server, a database on it, and a namespace in that. */
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
    return openShards(this.#target, options, (own, keys) => RedisStreamsConnection.open(this.#target, own, keys));
  }
}
