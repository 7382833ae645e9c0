import { PapaError } from "@papa-events/core";
import type { Connection, DeadLetterStore, Delivery, Settlement, Transport } from "@papa-events/core/transport";
import { redirected, wrappedConnection, wrappedStore } from "../src/rig/wrapped.ts";

/**
 * What is between apps and a broker in memory: it can be away for those who connect, it can fall silent, and it can refuse
 * what would have to be stored.
 */
export class Network {
  away = false;
  full = false;
  #flowing: Promise<void> | undefined;
  #flow = () => {};

  stall(): void {
    this.#flowing ??= new Promise((resolve) => {
      this.#flow = resolve;
    });
  }

  flow(): void {
    this.#flowing = undefined;
    this.#flow();
  }

  /** A transport whose calls all cross this network. */
  around(inner: Transport): Transport {
    return {
      name: inner.name,
      connect: async (options) => {
        await this.#crossed();
        if (this.away) throw unreachable(inner.name);
        return this.#connection(await inner.connect(options));
      },
    };
  }

  /** Resolves when something gets through, at once unless it is silent. */
  async #crossed(): Promise<void> {
    while (this.#flowing !== undefined) await this.#flowing;
  }

  #connection(connection: Connection): Connection {
    const { declarations, trials, administration } = connection;
    return wrappedConnection(connection, {
      declarations: this.#slowed(declarations),
      trials: trials && this.#slowed(trials),
      administration: administration && this.#slowed(administration),
      publish: async (events) => {
        await this.#crossed();
        return this.full ? events.map((_, index) => ({ index, error: refused() })) : connection.publish(events);
      },
      subscribe: async (useCase, options, onDelivery) => {
        await this.#crossed();
        return connection.subscribe(useCase, options, (delivery) => {
          if (this.#flowing === undefined) onDelivery(this.#delivery(delivery));
          else void this.#crossed().then(() => onDelivery(this.#delivery(delivery)));
        });
      },
      deadLetters: (useCase) => this.#letters(connection.deadLetters(useCase)),
      inspect: async (useCase) => {
        await this.#crossed();
        return connection.inspect(useCase);
      },
      close: async () => {
        await this.#crossed();
        await connection.close();
      },
    });
  }

  #letters(letters: DeadLetterStore): DeadLetterStore {
    const crossed = () => this.#crossed();
    return wrappedStore(this.#slowed(letters), {
      scan: async function* (order, signal) {
        await crossed();
        yield* letters.scan(order, signal);
      },
    });
  }

  #delivery(delivery: Delivery): Delivery {
    return redirected(delivery, async (settlement) => {
      await this.#crossed();
      if (this.full && stores(settlement) && !delivery.lost) throw refused();
      return delivery.settle(settlement);
    });
  }

  /** Something all of whose members are calls. */
  #slowed<T extends object>(inner: T): T {
    return new Proxy(inner, {
      get: (_, name) => {
        const member: unknown = Reflect.get(inner, name, inner);
        if (typeof member !== "function") return member;
        return async (...args: unknown[]) => {
          await this.#crossed();
          return member.apply(inner, args) as unknown;
        };
      },
    });
  }
}

function unreachable(transport: string): PapaError {
  const message = "The broker in memory cannot be reached.";
  return new PapaError("connection-failed", message, { transport }, { retryable: true });
}

function stores(settlement: Settlement): boolean {
  return settlement.kind === "done" ? settlement.outputs.length > 0 : settlement.kind !== "release";
}

function refused(): PapaError {
  const message = "The broker in memory has no room.";
  return new PapaError("connection-failed", message, { transport: "memory" }, { retryable: true });
}
