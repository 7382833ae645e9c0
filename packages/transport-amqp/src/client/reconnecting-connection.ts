import type { Channel, ChannelModel, ConfirmChannel } from "amqplib";
import { lostError, papaErrorOf } from "./errors.ts";
import { type BrokerConnection, connectTo, endConnection } from "./open-connection.ts";
import { addressOf, type Target } from "./options.ts";
import { within } from "./time-limit.ts";

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;
/** How long setting up a connection may take: each of many queues takes the broker some 20 ms. */
const SETTING_UP = 60_000;

export interface LinkOptions {
  readonly target: Target;
  /** Shown in the broker's list of connections. */
  readonly connectionName: string;
  /** Makes what lives on a connection, anew after each time it was lost. */
  readonly setUp: (link: Link) => Promise<void>;
  /** Told when the connection goes, is blocked by the broker, and serves again; not for the first time it does. */
  readonly onStatus: (up: boolean, error: Error | undefined) => void;
}

/**
 * One connection to the broker, made again for as long as it takes (L3). amqplib's own recovery mends the connection
 * only, and a wrapper acknowledges on whatever channel is current: here everything belongs to one channel object and
 * ends with it.
 */
export class Link {
  readonly address: string;
  readonly #options: LinkOptions;
  #broker: BrokerConnection | undefined;
  #serving = false;
  #blocked = false;
  #closed = false;
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  #endPause: (() => void) | undefined;

  /** Connects and sets up once. @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
  static async open(options: LinkOptions): Promise<Link> {
    const link = new Link(options);
    await link.#connect();
    link.#serving = true;
    return link;
  }

  private constructor(options: LinkOptions) {
    this.#options = options;
    this.address = addressOf(options.target);
  }

  /** Whether it is connected and set up. */
  get up(): boolean {
    return this.#serving && this.#broker !== undefined;
  }

  /** Whether it is connected, also while it is still being set up. */
  get connected(): boolean {
    return this.#broker !== undefined;
  }

  /** The first number of the broker's version. */
  get major(): number {
    return this.#broker?.major ?? 0;
  }

  /** A new channel. An error on it ends only it, and tells by its `close` event. @throws PapaError `connection-failed` */
  channel(): Promise<Channel> {
    return this.#open((model) => model.createChannel());
  }

  /** A new channel with confirms. @throws PapaError `connection-failed` */
  confirmChannel(): Promise<ConfirmChannel> {
    return this.#open((model) => model.createConfirmChannel({ highWaterMark: 16_384 }));
  }

  /** Resolves when the connection serves; rejects when it is closed for good. */
  whenUp(): Promise<void> {
    if (this.up) return Promise.resolve();
    if (this.#closed) return Promise.reject(this.lost());
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  lost(cause?: unknown): Error {
    return lostError(this.address, cause);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#serving = false;
    this.#endPause?.();
    for (const { reject } of this.#waiting.splice(0)) reject(this.lost());
    const broker = this.#broker;
    this.#broker = undefined;
    if (broker !== undefined) await endConnection(broker.model);
  }

  async #open<C extends Channel>(open: (model: ChannelModel) => Promise<C>): Promise<C> {
    const broker = this.#broker;
    if (broker === undefined) throw this.lost();
    try {
      const channel = await open(broker.model);
      // The call under way is rejected with the same error and "close" follows; unheard it would end the process.
      channel.on("error", () => {});
      return channel;
    } catch (error) {
      if (this.#broker !== broker) throw this.lost(error);
      throw papaErrorOf(error, { address: this.address });
    }
  }

  async #connect(): Promise<void> {
    const { target, connectionName, setUp } = this.#options;
    const broker = await connectTo(target, connectionName);
    const { model } = broker;
    if (this.#closed) return endConnection(model);
    this.#broker = broker;
    this.#blocked = false;
    model.on("blocked", (reason: string) => this.#setBlocked(broker, true, reason));
    model.on("unblocked", () => this.#setBlocked(broker, false));
    model.on("close", (error?: Error) => this.#gone(broker, error));
    try {
      await within(setUp(this), SETTING_UP, "the broker does not answer");
    } catch (error) {
      const gone = this.#broker !== broker;
      this.#broker = undefined;
      await endConnection(model);
      throw gone ? this.lost(error) : papaErrorOf(error, { address: this.address });
    }
    if (this.#broker !== broker) throw this.lost();
  }

  #gone(broker: BrokerConnection, error: Error | undefined): void {
    if (this.#broker !== broker) return;
    this.#broker = undefined;
    // While it is set up, whoever does that is told.
    if (!this.#serving) return;
    this.#serving = false;
    this.#options.onStatus(false, this.lost(error));
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      // Jitter, so that the services that a broker's restart cut off do not all come back at once.
      await this.#pause(pause * (0.5 + Math.random() / 2));
      if (this.#closed) return;
      try {
        await this.#connect();
        break;
      } catch (error) {
        if (!this.#closed) this.#options.onStatus(false, error as Error);
      }
    }
    if (this.#closed) return;
    this.#serving = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    if (!this.#blocked) this.#options.onStatus(true, undefined);
  }

  /** The broker has no memory or disk left, and reads nothing from a connection that publishes. */
  #setBlocked(broker: BrokerConnection, blocked: boolean, reason = ""): void {
    if (this.#broker !== broker || this.#blocked === blocked) return;
    this.#blocked = blocked;
    if (!this.#serving) return;
    this.#options.onStatus(!blocked, blocked ? new Error(`The broker blocks publishers: ${reason}.`) : undefined);
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
