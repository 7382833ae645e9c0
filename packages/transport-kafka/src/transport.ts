import type { Connection, ConnectOptions, Transport } from "@papa-events/core/transport";
import type { Target } from "./client/options.ts";
import { addressOf } from "./client/uri.ts";
import { KafkaConnection } from "./connection.ts";
import type { ExistingTopics } from "./declarations/existing-topics-option.ts";

/** A Kafka cluster and a namespace on it. */
export class KafkaTransport implements Transport {
  readonly name = "kafka";
  /** The cluster's address, without user and password. */
  readonly address: string;
  readonly #target: Target;
  readonly #existing: ExistingTopics;

  /** @internal Made by `kafka()`. */
  constructor(target: Target, existing: ExistingTopics) {
    this.#target = target;
    this.#existing = existing;
    this.address = addressOf(target);
  }

  connect(options: ConnectOptions): Promise<Connection> {
    return KafkaConnection.open(this.#target, this.#existing, options);
  }
}
