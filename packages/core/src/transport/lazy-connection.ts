import type { Logger } from "../logging/logger.ts";
import { connect } from "./connect.ts";
import type { Connection, Transport } from "./transport.ts";

/** It consumes nothing, so that any number will do. */
const MAX_HELD_BYTES = 67_108_864;

/** A connection for an operator, made at its first use, until it is closed; then the next use makes another. */
export class LazyConnection {
  readonly #transport: Transport;
  readonly #name: string;
  readonly #logger: Logger;
  #connecting: Promise<Connection> | undefined;

  /** @param name how the broker's lists of clients show it */
  constructor(transport: Transport, name: string, logger: Logger) {
    this.#transport = transport;
    this.#name = name;
    this.#logger = logger;
  }

  /** @throws PapaError as `Transport.connect`; the next call tries again */
  get(): Promise<Connection> {
    this.#connecting ??= connect(this.#transport, {
      appName: this.#name,
      logger: this.#logger,
      operator: true,
      maxHeldBytes: MAX_HELD_BYTES,
      onStatus: () => {},
      onProblem: () => {},
    }).catch((error: unknown) => {
      this.#connecting = undefined;
      throw error;
    });
    return this.#connecting;
  }

  async close(): Promise<void> {
    const open = this.#connecting;
    this.#connecting = undefined;
    // One that could not be made has been reported to whoever needed it.
    await open?.then(
      (connection) => connection.close(),
      () => {},
    );
  }
}
