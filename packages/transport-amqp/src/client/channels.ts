import type { Channel } from "amqplib";
import { closeChannel } from "./close-channel.ts";
import { codeOf, toPapaError } from "./errors.ts";
import type { ReconnectingConnection } from "./reconnecting-connection.ts";

/** Channels for one purpose each: the broker closes a channel on which it refuses something. */
export class Channels {
  readonly #connection: ReconnectingConnection;

  constructor(connection: ReconnectingConnection) {
    this.#connection = connection;
  }

  /** The broker's address, without user and password. */
  get address(): string {
    return this.#connection.address;
  }

  /** Runs `use` on a new channel, which is closed afterwards. @throws PapaError */
  async withChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await this.#connection.channel();
    let open = true;
    channel.on("close", () => {
      open = false;
    });
    try {
      return await use(channel);
    } catch (error) {
      if (!this.#connection.connected) throw this.#connection.lost(error);
      throw toPapaError(error, { address: this.address });
    } finally {
      if (open) await closeChannel(channel);
    }
  }

  /** Whether there is such a queue. @throws PapaError `connection-failed` */
  async queueExists(queue: string): Promise<boolean> {
    return (await this.queueSize(queue)) !== undefined;
  }

  /** Whether there is such an exchange. @throws PapaError `connection-failed` */
  exchangeExists(exchange: string): Promise<boolean> {
    return this.withChannel(async (channel) => {
      try {
        await channel.checkExchange(exchange);
        return true;
      } catch (error) {
        if (codeOf(error) === 404) return false;
        throw toPapaError(error, { address: this.address, object: `exchange "${exchange}"` });
      }
    });
  }

  /** Counts the ready messages of a queue; `undefined` if there is no queue. @throws PapaError `connection-failed` */
  queueSize(queue: string): Promise<number | undefined> {
    return this.withChannel(async (channel) => {
      try {
        return (await channel.checkQueue(queue)).messageCount;
      } catch (error) {
        if (codeOf(error) === 404) return undefined;
        throw toPapaError(error, { address: this.address, object: `queue "${queue}"` });
      }
    });
  }
}
