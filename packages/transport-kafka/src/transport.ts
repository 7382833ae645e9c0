import type { Connection, ConnectOptions, Transport } from "@papa-events/core/transport";
import type { Target } from "./client/options.ts";
import { addressOf } from "./client/uri.ts";
import { KafkaConnection } from "./connection.ts";

/** A Kafka cluster and a namespace on it. */
export class KafkaTransport implements Transport {
  readonly name = "kafka";
  /** The cluster's address, without user and password. */
  readonly address: string;
  readonly #target: Target;

  /** @internal Made by `kafka()`. */
  constructor(target: Target) {
    this.#target = target;
    this.address = addressOf(target);
  }

  connect(options: ConnectOptions): Promise<Connection> {
    return KafkaConnection.open(this.#target, options);
  }
}
