import { KafkaError } from "../wire/kafka-error.ts";
import { BrokerConnection } from "./broker-connection.ts";
import type { ClientSettings } from "./client-settings.ts";
import type { Address } from "./uri.ts";

/** Fetches wait at the broker, which answers the requests of one connection in order: they have connections of their own. */
export type Purpose = "requests" | "fetches";

/** A configured address that does not answer is not waited for longer before the next one is tried too. */
const SEED_HEAD_START_MS = 250;

/** One client's connections: one for each broker and purpose, opened when needed. */
export class BrokerPool {
  readonly #settings: ClientSettings;
  readonly #onLost: () => void;
  readonly #addresses = new Map<number, Address>();
  readonly #connections = new Map<string, BrokerConnection>();
  /** The search for a configured address that answers, while it goes on. */
  #seeding: Promise<BrokerConnection> | undefined;
  #closed = false;

  /** @param onLost called when an open connection ends that was not closed from here */
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
    try {
      return await this.anyKnown();
    } catch (error) {
      if (isRefusedLogin(error)) throw error;
    }
    this.#seeding ??= this.#seed().finally(() => {
      this.#seeding = undefined;
    });
    return this.#seeding;
  }

  /** Resolves to a connection to any broker whose advertised address is known. @throws KafkaError if none of them answers */
  async anyKnown(): Promise<BrokerConnection> {
    let problem: unknown;
    const known = [...this.#addresses.keys()].sort(
      (a, b) => Number(this.#isUsable(b)) - Number(this.#isUsable(a)) || Math.random() - 0.5,
    );
    for (const node of known) {
      try {
        return await this.opened(node);
      } catch (error) {
        problem = error;
        if (isRefusedLogin(error)) throw error;
      }
    }
    throw problem ?? new KafkaError("CONNECTION", "The address of no broker is known.", true);
  }

  /** The brokers' advertised addresses, as far as they are known. */
  get advertised(): readonly string[] {
    return [...this.#addresses.values()].map(({ host, port }) => `${host}:${port}`);
  }

  /** Interrupts what waits on the connections of one kind. */
  end(purpose: Purpose): void {
    for (const [key, connection] of this.#connections) {
      if (!key.startsWith(purpose)) continue;
      this.#connections.delete(key);
      connection.end();
    }
  }

  /** Closes the connections to configured addresses that nobody uses: the brokers' own are known. */
  endSeeds(): void {
    for (const [key, connection] of this.#connections) {
      if (!key.startsWith("seed") || !connection.idle) continue;
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
      // An address that does not answer takes nothing away that was there.
      if (!this.#closed && connection.wasOpen) this.#onLost();
    });
    this.#connections.set(key, connection);
    return connection;
  }

  /** Opens a connection to whichever configured address answers first; a dead one holds no other up. */
  #seed(): Promise<BrokerConnection> {
    const { brokers } = this.#settings;
    return new Promise((resolve, reject) => {
      let next = 0;
      let failed = 0;
      let found = false;
      const tryNext = () => {
        const address = brokers[next];
        if (found || address === undefined) return;
        next += 1;
        const timer = setTimeout(tryNext, SEED_HEAD_START_MS);
        this.#openedSeed(address)
          .then(
            (connection) => {
              found = true;
              resolve(connection);
            },
            (error: unknown) => {
              failed += 1;
              if (failed === brokers.length || isRefusedLogin(error)) reject(error);
              else tryNext();
            },
          )
          .finally(() => clearTimeout(timer));
      };
      tryNext();
    });
  }

  async #openedSeed(address: Address): Promise<BrokerConnection> {
    const connection = this.#connectionTo(`seed ${address.host}:${address.port}`, address);
    await connection.opened();
    return connection;
  }

  #isUsable(node: number): boolean {
    return this.#connections.get(`requests ${node}`)?.usable === true;
  }
}

function isRefusedLogin(error: unknown): boolean {
  return error instanceof KafkaError && error.type === "AUTHENTICATION";
}
