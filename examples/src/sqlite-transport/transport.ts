import type { Connection, ConnectOptions, Transport } from "@papa-events/core/transport";
import type { Target } from "./client/options.ts";
import { SqliteConnection } from "./connection.ts";

/** A file that stands for a broker. */
export class SqliteTransport implements Transport {
  readonly name = "sqlite";
  readonly #target: Target;

  /** @internal Made by `sqlite()`. */
  constructor(target: Target) {
    this.#target = target;
  }

  connect(options: ConnectOptions): Promise<Connection> {
    return SqliteConnection.open(this.#target, options);
  }
}
