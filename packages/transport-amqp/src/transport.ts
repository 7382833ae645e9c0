import type { Connection, ConnectOptions, Transport } from "@papa-events/core/transport";
import { addressOf, type Target } from "./client/options.ts";
import { AmqpConnection } from "./connection.ts";

/** Stands for a RabbitMQ virtual host and a namespace in it. */
export class AmqpTransport implements Transport {
  readonly name = "amqp";
  /** The broker's address, without user and password. */
  readonly address: string;
  readonly #target: Target;

  /** @internal Made by `amqp()`. */
  constructor(target: Target) {
    this.#target = target;
    this.address = addressOf(target);
  }

  connect(options: ConnectOptions): Promise<Connection> {
    return AmqpConnection.open(this.#target, options);
  }
}
