import type { Connection, ConnectOptions, Transport } from "@papa-events/core/transport";
import type { Target } from "./client/options.ts";
import { SqliteConnection } from "./connection.ts";

/** A file that stands for a broker. */
export class SqliteTransport implements Transport {
  readonly name = "sqlite";
  readonly #target: Target;
  readonly #connections = new Set<SqliteConnection>();

  /** @internal Made by `sqlite()`. */
  constructor(target: Target) {
    this.#target = target;
  }

  async connect(options: ConnectOptions): Promise<Connection> {
    const connection = await SqliteConnection.open(this.#target, options);
    this.#connections.add(connection);
    return connection;
  }

  /** Does for tests what `kill -9` of this process would do to its connections. */
  crash(): void {
    for (const connection of this.#connections) connection.sever();
    this.#connections.clear();
  }
}
