import type { Channel } from "amqplib";
import { closeChannel } from "./close-channel.ts";
import { codeOf, toPapaError } from "./errors.ts";
import type { ReconnectingConnection } from "./reconnecting-connection.ts";

/** How many looks at queues are under way at once: a connection has 2,047 channels at most, and a use case many delay queues. */
const MAX_LOOKS = 16;

/** Channels for one purpose each: the broker closes a channel on which it refuses something. */
export class Channels {
  readonly #connection: ReconnectingConnection;
  #looks = 0;
  readonly #waitingLooks: (() => void)[] = [];

  constructor(connection: ReconnectingConnection) {
    this.#connection = connection;
  }

  /** The broker's address, without user and password. */
  get address(): string {
    return this.#connection.address;
  }

  /** Whether the broker counts it against a message when a client returns it. RabbitMQ 4.3 counts only what was not returned on purpose. */
  get countReturns(): boolean {
    return !this.#connection.isAtLeast(4, 3);
  }

  /** Opens a channel that whoever opens it must close. @throws PapaError `connection-failed` */
  open(): Promise<Channel> {
    return this.#connection.channel();
  }

  /** Runs `use` on a new channel, which is closed afterwards. @throws PapaError */
  async withChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await this.open();
    let open = true;
    channel.on("close", () => {
      open = false;
    });
    try {
      return await use(channel);
    } catch (error) {
      throw this.errorOf(error);
    } finally {
      if (open) await closeChannel(channel);
    }
  }

  /** Makes an error of the library of what was thrown while a channel was used. */
  errorOf(error: unknown): Error {
    if (!this.#connection.connected) return this.#connection.lost(error);
    return toPapaError(error, { address: this.address });
  }

  /** Whether there is such a queue. @throws PapaError `connection-failed` */
  async queueExists(queue: string): Promise<boolean> {
    return (await this.queueSize(queue)) !== undefined;
  }

  /** Names the first of these exchanges that is not there. @throws PapaError `connection-failed` */
  missingExchange(exchanges: readonly string[]): Promise<string | undefined> {
    return this.withChannel(async (channel) => {
      for (const exchange of exchanges)
        try {
          await channel.checkExchange(exchange);
        } catch (error) {
          if (codeOf(error) === 404) return exchange;
          throw toPapaError(error, { address: this.address, object: `exchange "${exchange}"` });
        }
      return undefined;
    });
  }

  /** Counts the ready messages of a queue; `undefined` if there is no queue. @throws PapaError `connection-failed` */
  async queueSize(queue: string): Promise<number | undefined> {
    if (this.#looks < MAX_LOOKS) this.#looks += 1;
    else await new Promise<void>((resolve) => this.#waitingLooks.push(resolve));
    try {
      return await this.#queueSize(queue);
    } finally {
      const next = this.#waitingLooks.shift();
      if (next === undefined) this.#looks -= 1;
      else next();
    }
  }

  #queueSize(queue: string): Promise<number | undefined> {
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
