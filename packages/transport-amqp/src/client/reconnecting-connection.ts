import type { Channel, ChannelModel, ConfirmChannel } from "amqplib";
import { connectionLostError, toPapaError } from "./errors.ts";
import { closeConnection, type OpenConnection, openConnection } from "./open-connection.ts";
import { addressOf, type Target } from "./options.ts";
import { within } from "./time-limit.ts";

const INITIAL_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
/** How long setting up a connection may take: each of many queues takes the broker some 20 ms. */
const MAX_SET_UP_MS = 60_000;
const MAX_APART_MS = 10_000;

export interface ReconnectingConnectionOptions {
  readonly target: Target;
  /** Shown in the broker's list of connections. */
  readonly connectionName: string;
  /** Makes what lives on a connection, again after each reconnect. */
  readonly setUp: () => Promise<void>;
  /** Called when the connection is lost and when it serves again; not when it first serves. */
  readonly onStatus: (up: boolean, error: Error | undefined) => void;
  /** Called when the broker takes nothing from the connection, with why, and with `undefined` when it does again. */
  readonly onBlocked: (reason: string | undefined) => void;
}

/**
 * One connection to the broker that reconnects for as long as it takes (L3). amqplib's own recovery restores the
 * connection only, and wrappers acknowledge on whatever channel is current. Here everything belongs to one channel
 * object and ends with it.
 */
export class ReconnectingConnection {
  readonly address: string;
  readonly #options: ReconnectingConnectionOptions;
  #current: OpenConnection | undefined;
  /** Which address is tried first. */
  #next = 0;
  #serving = false;
  #blocked: string | undefined;
  #lostBecause: Error | undefined;
  #apart: Promise<void> = Promise.resolve();
  /** The other connection, while something is done apart. */
  #beside: ChannelModel | undefined;
  #closed = false;
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  #endBackoff: (() => void) | undefined;

  /** Connects and sets up once. @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
  static async open(options: ReconnectingConnectionOptions): Promise<ReconnectingConnection> {
    const connection = new ReconnectingConnection(options);
    await connection.#connect();
    connection.#serving = true;
    return connection;
  }

  private constructor(options: ReconnectingConnectionOptions) {
    this.#options = options;
    this.address = addressOf(options.target);
  }

  /** Whether it is connected and set up. */
  get up(): boolean {
    return this.#serving && this.#current !== undefined;
  }

  /** Whether it is connected, also while it is still being set up. */
  get connected(): boolean {
    return this.#current !== undefined;
  }

  /** Why the broker takes nothing from this connection, if it does not: it runs short of memory or disk. */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  /** What the connection was last lost with, if there was a reason. */
  get lostBecause(): Error | undefined {
    return this.#lostBecause;
  }

  /** The first number of the broker's version. */
  get majorVersion(): number {
    return this.#current?.majorVersion ?? 0;
  }

  /** The broker's version, as it says it. */
  get version(): string {
    return this.#current?.version ?? "unknown";
  }

  /** How many channels the broker permits; 0 if it does not say. */
  get channelMax(): number {
    // amqplib's types leave it out.
    const connection = this.#current?.model.connection as unknown as { readonly channelMax?: unknown } | undefined;
    return typeof connection?.channelMax === "number" ? connection.channelMax : 0;
  }

  /** Whether the broker's version is this one or newer. */
  readonly isAtLeast = (major: number, minor: number): boolean => {
    const { majorVersion = 0, minorVersion = 0 } = this.#current ?? {};
    return majorVersion > major || (majorVersion === major && minorVersion >= minor);
  };

  /** Opens a channel. An error ends only that channel, which then emits `close`. @throws PapaError `connection-failed` */
  channel(): Promise<Channel> {
    return this.#openChannel((model) => model.createChannel());
  }

  /** Opens a channel with confirms. @throws PapaError `connection-failed` */
  confirmChannel(): Promise<ConfirmChannel> {
    return this.#openChannel((model) => model.createConfirmChannel({ highWaterMark: 16_384 }));
  }

  /**
   * Does something on a channel of another connection, which then ends: it may end that connection. One thing at a time.
   *
   * @throws what the broker ended the channel or the connection with
   */
  apart(work: (channel: Channel) => Promise<void>): Promise<void> {
    const working = this.#apart.then(() => this.#workApart(work));
    this.#apart = working.catch(() => {});
    return working;
  }

  async #workApart(work: (channel: Channel) => Promise<void>): Promise<void> {
    const { target, connectionName } = this.#options;
    if (this.#closed) throw this.lost();
    const { model } = await openConnection(target, `${connectionName}, apart`, this.#next);
    if (this.#closed) return closeConnection(model);
    this.#beside = model;
    let reason: unknown;
    model.on("close", (error?: Error) => {
      reason = error;
    });
    const used = (async () => {
      const channel = await model.createChannel();
      channel.on("error", () => {});
      await work(channel);
    })();
    try {
      await within(used, MAX_APART_MS, "the broker does not answer");
    } catch (error) {
      throw reason ?? error;
    } finally {
      this.#beside = undefined;
      await closeConnection(model);
    }
  }

  /** Resolves when the connection serves; rejects when it is closed for good. */
  async whenUp(): Promise<void> {
    while (!this.up) await this.#change();
  }

  /** Resolves when the connection serves and the broker reads from it; rejects when it is closed for good. */
  async whenWritable(): Promise<void> {
    while (!this.up || this.#blocked !== undefined) await this.#change();
  }

  /** Makes the error of something that was under way when the connection was lost. */
  lost(cause?: unknown): Error {
    return connectionLostError(this.address, cause);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#serving = false;
    this.#endBackoff?.();
    for (const { reject } of this.#waiting.splice(0)) reject(this.lost());
    const current = this.#current;
    this.#current = undefined;
    await Promise.all([current?.model, this.#beside].map((model) => model && closeConnection(model)));
  }

  async #openChannel<C extends Channel>(open: (model: ChannelModel) => Promise<C>): Promise<C> {
    const current = this.#current;
    if (current === undefined) throw this.lost();
    try {
      const channel = await open(current.model);
      // The call under way is rejected with the same error and "close" follows; unhandled it would end the process.
      channel.on("error", () => {});
      return channel;
    } catch (error) {
      if (this.#current !== current) throw this.lost(error);
      throw toPapaError(error, { address: this.address });
    }
  }

  async #connect(): Promise<void> {
    const { target, connectionName, setUp } = this.#options;
    const opened = await openConnection(target, connectionName, this.#next);
    this.#next = opened.index;
    const { model } = opened;
    if (this.#closed) return closeConnection(model);
    this.#current = opened;
    model.on("blocked", (reason: string) => this.#setBlocked(opened, reason));
    model.on("unblocked", () => this.#setBlocked(opened, undefined));
    model.on("close", (error?: Error) => this.#onClose(opened, error));
    try {
      await within(setUp(), MAX_SET_UP_MS, "the broker does not answer");
    } catch (error) {
      const lost = this.#current !== opened;
      this.#current = undefined;
      await closeConnection(model);
      throw lost ? this.lost(error) : toPapaError(error, { address: this.address });
    }
    if (this.#current !== opened) throw this.lost();
  }

  #onClose(closed: OpenConnection, error: Error | undefined): void {
    if (this.#current !== closed) return;
    this.#setBlocked(closed, undefined);
    this.#current = undefined;
    this.#lostBecause = error;
    // The others are more likely to answer just now.
    this.#next = closed.index + 1;
    // During set-up the rejection of #connect says so.
    if (!this.#serving) return;
    this.#serving = false;
    this.#options.onStatus(false, this.lost(error));
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    for (let backoff = INITIAL_BACKOFF_MS; ; backoff = Math.min(backoff * 2, MAX_BACKOFF_MS)) {
      // Jitter, so that the services that a broker's restart cut off do not all come back at once.
      await this.#backOff(backoff * (0.5 + Math.random() / 2));
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
    this.#notifyWaiting();
    this.#options.onStatus(true, undefined);
  }

  /** A broker that runs short of memory or disk stops reading from connections that publish. */
  #setBlocked(connection: OpenConnection, reason: string | undefined): void {
    if (this.#current !== connection || this.#blocked === reason) return;
    this.#blocked = reason;
    if (reason === undefined) this.#notifyWaiting();
    this.#options.onBlocked(reason);
  }

  /** Resolves when the connection may have come to serve; rejects when it is closed for good. */
  #change(): Promise<void> {
    if (this.#closed) return Promise.reject(this.lost());
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #notifyWaiting(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #backOff(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#endBackoff = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
