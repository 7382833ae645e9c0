import type { Connection, ConnectOptions, Transport } from "@papa-events/core/transport";
import type { Broker } from "./broker.ts";
import { lost, MemoryConnection } from "./connection.ts";

/** A broker in memory, with what tests do to brokers. */
export class MemoryTransport implements Transport {
  readonly name = "memory";
  readonly #broker: Broker;
  readonly #connections = new Set<MemoryConnection>();
  #reachable = true;

  /** @internal Made by `memory()`. */
  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /**
   * Connects; fails only between {@link disconnect} and {@link reconnect}. While the connection is open the process stays
   * alive, as with the socket of a real broker.
   *
   * @throws PapaError `connection-failed`
   */
  connect(options: ConnectOptions): Promise<Connection> {
    if (!this.#reachable) return Promise.reject(lost());
    const connection = new MemoryConnection(this.#broker, options, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    return Promise.resolve(connection);
  }

  /** Resolves when nothing is left to do now: all that is ready has been handled, and what is waiting is not due yet. */
  settled(): Promise<void> {
    return this.#broker.settled();
  }

  /**
   * As if every process that is connected were killed: what they had not acknowledged is back in its queue with one
   * more redelivery counted, and their apps get and store nothing any more. Connect new apps to go on.
   */
  crash(): void {
    for (const connection of this.#connections) connection.sever();
    this.#connections.clear();
  }

  /** As if the network failed: unacknowledged events go back to their queues, publishing waits, and nobody can connect. */
  disconnect(): void {
    this.#reachable = false;
    for (const connection of this.#connections) connection.setConnected(false);
  }

  /** Ends {@link disconnect}: apps go on where they were. */
  reconnect(): void {
    this.#reachable = true;
    for (const connection of this.#connections) connection.setConnected(true);
  }
}
