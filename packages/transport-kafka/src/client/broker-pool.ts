import { KafkaError } from "../wire/kafka-error.ts";
import { BrokerConnection } from "./broker-connection.ts";
import type { ClientSettings } from "./client-settings.ts";
import type { Address } from "./uri.ts";

/** Fetches wait at the broker, which answers the requests of one connection in order: they have connections of their own. */
export type Purpose = "requests" | "fetches";

/** One client's connections: one for each broker and purpose, opened when needed. */
export class BrokerPool {
  readonly #settings: ClientSettings;
  readonly #onLost: () => void;
  readonly #addresses = new Map<number, Address>();
  readonly #connections = new Map<string, BrokerConnection>();
  #nextSeed = 0;
  #closed = false;

  /** @param onLost called when a connection ends that was not closed from here */
  constructor(settings: ClientSettings, onLost: () => void) {
    this.#settings = settings;
    this.#onLost = onLost;
  }

  /** Takes note of a broker's advertised address. */
  know(node: number, address: Address): void {
    const known = this.#addresses.get(node);
    if (known?.host === address.host && known.port === address.port) return;
    this.#addresses.set(node, address);
    for (const purpose of ["requests", "fetches"]) this.#connections.delete(`${purpose} ${node}`);
  }

  /** The connection to a broker, which may still be opening. @throws KafkaError if the broker's address is unknown */
  get(node: number, purpose: Purpose): BrokerConnection {
    const address = this.#addresses.get(node);
    if (address === undefined)
      throw new KafkaError("BROKER_NOT_AVAILABLE", `The address of broker ${node} is not known.`, true);
    return this.#connectionTo(`${purpose} ${node}`, address);
  }

  /** Resolves to an open connection for requests. @throws KafkaError */
  async opened(node: number): Promise<BrokerConnection> {
    const connection = this.get(node, "requests");
    await connection.opened();
    return connection;
  }

  /** Resolves to a connection to any broker: an open one, else one that opens, else one to a configured address. */
  async any(): Promise<BrokerConnection> {
    let problem: unknown;
    const known = [...this.#addresses.keys()].sort(
      (a, b) => Number(this.#isUsable(b)) - Number(this.#isUsable(a)) || Math.random() - 0.5,
    );
    for (const node of known) {
      try {
        return await this.opened(node);
      } catch (error) {
        problem = error;
        if (error instanceof KafkaError && error.type === "AUTHENTICATION") throw error;
      }
    }
    const { brokers } = this.#settings;
    for (let tries = 0; tries < brokers.length; tries += 1) {
      const address = brokers[this.#nextSeed++ % brokers.length];
      if (address === undefined) break;
      try {
        const connection = this.#connectionTo(`seed ${address.host}:${address.port}`, address);
        await connection.opened();
        return connection;
      } catch (error) {
        problem = error;
        if (error instanceof KafkaError && error.type === "AUTHENTICATION") throw error;
      }
    }
    throw problem ?? new KafkaError("CONNECTION", "There is no broker to connect to.", true);
  }

  /** Closes the connections of one kind. `"seed"` are those to the configured addresses. */
  end(purpose: Purpose | "seed"): void {
    for (const [key, connection] of this.#connections) {
      if (!key.startsWith(purpose)) continue;
      this.#connections.delete(key);
      connection.end();
    }
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#connections.values()) connection.end();
    this.#connections.clear();
  }

  #connectionTo(key: string, { host, port }: Address): BrokerConnection {
    if (this.#closed) throw new KafkaError("CLOSED", "The client is closed.", false);
    const known = this.#connections.get(key);
    if (known?.usable) return known;
    const connection: BrokerConnection = new BrokerConnection(host, port, this.#settings, () => {
      if (this.#connections.get(key) !== connection) return;
      this.#connections.delete(key);
      if (!this.#closed) this.#onLost();
    });
    this.#connections.set(key, connection);
    return connection;
  }

  #isUsable(node: number): boolean {
    return this.#connections.get(`requests ${node}`)?.usable === true;
  }
}
