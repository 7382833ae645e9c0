import { isPapaError } from "@papa-events/core";
import type { Cluster, Redis } from "ioredis";
import type { Argument, Script } from "../scripts/script.ts";
import { isCluster } from "./endpoint.ts";
import { connectionLostError, isBug, isReply, toPapaError } from "./errors.ts";
import type { Target } from "./options.ts";
import { limitSilence } from "./silence-limit.ts";
import { within } from "./time-limit.ts";
import { withoutArguments } from "./without-arguments.ts";

const INITIAL_BACKOFF_MS = 100;
/** The longest pause, where leases are not so short that one would end in it. */
const MAX_BACKOFF_MS = 5_000;
/** The pause before the next connection when setting one up has failed. */
const SETUP_BACKOFF_MS = 500;
/**
 * A connection counts as lost when the server leaves a command without a reply for so long, or for a lease if that is longer:
 * a stall in which no lease ends is no reason to send anything again.
 */
const MIN_REPLY_TIMEOUT_MS = 10_000;

export interface ReconnectingConnectionOptions {
  readonly target: Target;
  /** Shown in the server's list of clients. */
  readonly connectionName: string;
  /** How long a command may block on the server before it replies, in milliseconds. */
  readonly blocks?: number | undefined;
  /** Runs after each connect, before the connection counts as up. */
  readonly setUp?: ((client: Redis | Cluster) => Promise<void>) | undefined;
  /** Called when the connection is lost and when it is up again, but not when it is up for the first time. */
  readonly onStatus?: ((up: boolean, error: Error | undefined) => void) | undefined;
}

/**
 * One connection to the server that reconnects for as long as it takes (L3). A command whose reply is lost fails at once:
 * only its sender knows whether it may be sent again.
 */
export class ReconnectingConnection {
  readonly client: Redis | Cluster;
  readonly address: string;
  readonly #options: ReconnectingConnectionOptions;
  #up = false;
  #opened = false;
  #closed = false;
  /** How often the client has reconnected. */
  #reconnects = 0;
  #lastError: Error | undefined;
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  /** Connects once. @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
  static async open(options: ReconnectingConnectionOptions): Promise<ReconnectingConnection> {
    const connection = new ReconnectingConnection(options);
    try {
      // A server without TLS takes the TLS greeting for the beginning of a command and waits for the rest.
      const problem = connection.address.startsWith("rediss:")
        ? "it does not answer; does that port speak TLS?"
        : "it does not answer";
      await within(connection.#open(), options.target.connectTimeout, problem);
    } catch (error) {
      connection.#closed = true;
      connection.client.disconnect();
      throw toPapaError(isPapaError(error) ? error : (connection.#lastError ?? error), connection.address);
    }
    connection.#opened = true;
    connection.#up = true;
    return connection;
  }

  private constructor(options: ReconnectingConnectionOptions) {
    const { target, connectionName, blocks = 0 } = options;
    this.#options = options;
    this.address = target.address;
    this.client = target.makeClient({
      connectionName,
      lazyConnect: true,
      keyPrefix: "",
      connectTimeout: target.connectTimeout,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // With any other number a command whose reply is lost waits for ever.
      maxRetriesPerRequest: 0,
      // The caller's client may have limits that are shorter than what a read or `WAIT` blocks, or a large event takes.
      socketTimeout: undefined,
      commandTimeout: undefined,
      blockingTimeout: undefined,
      // The former primary is a replica now: connect to the new one.
      reconnectOnError: (error) => error.message.startsWith("READONLY"),
      // In the grace after an outage all have to be back, which is half a lease.
      maxLoadingRetryTime: longestBackoff(target.lease),
      // A cluster is tried again also before it is open: a node that has just started says for two seconds that it is down.
      retryStrategy: (times) =>
        (this.#opened || this.client.isCluster) && !this.#closed ? backoff(times, longestBackoff(target.lease)) : null,
    });
    const silence = Math.max(MIN_REPLY_TIMEOUT_MS, target.lease) + blocks;
    if (isCluster(this.client)) this.client.on("+node", (node: Redis) => limitSilence(node, silence));
    else limitSilence(this.client, silence);
    this.client.on("error", (error: Error) => {
      this.#lastError = withoutArguments(lastNodeError(error));
    });
    this.client.on("close", () => this.#onClose());
    this.client.on("ready", () => void this.#onReady());
  }

  /** Whether it is connected and set up. */
  get up(): boolean {
    return this.#up;
  }

  /** How often it has connected. */
  get connects(): number {
    return this.#reconnects;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the connection is up; rejects when it is closed for good. */
  whenUp(): Promise<void> {
    if (this.#up) return Promise.resolve();
    if (this.#closed) return Promise.reject(this.lostError());
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Runs a script whose reply has its strings as strings. */
  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const { client } = this;
    if (!script.readsOnly)
      return this.#run(script, (command, text) => client[command](text, keys.length, ...keys, ...args));
    return this.#run(script, (command, text) => client[`${command}_ro`](text, keys.length, ...keys, ...args));
  }

  /** Runs a script whose reply has its strings as bytes. */
  runForBytes(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const suffix = script.readsOnly ? "_ro" : "";
    return this.#run(script, (command, text) =>
      this.client.callBuffer(`${command}${suffix}`, text, keys.length, ...keys, ...args),
    );
  }

  /** Makes the error of a command whose reply is lost. */
  lostError(cause: unknown = this.#lastError): Error {
    return connectionLostError(this.address, cause);
  }

  /** Maps an error of a command on this connection. */
  toPapaError(error: unknown): Error {
    const isLost = !isReply(error) && !isPapaError(error) && !isBug(error);
    return isLost ? this.lostError(error) : toPapaError(error, this.address);
  }

  /** Resolves as a command on this connection does. @throws PapaError instead of the client's own errors */
  async withPapaErrors<T>(command: Promise<T>): Promise<T> {
    try {
      return await command;
    } catch (error) {
      throw this.toPapaError(error);
    }
  }

  /** Closes it for good. Commands without a reply fail. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#up = false;
    for (const { reject } of this.#waiting.splice(0)) reject(this.lostError());
    this.client.disconnect();
  }

  /** The server forgets scripts when it restarts and at `SCRIPT FLUSH`. */
  async #run(
    { sha, source }: Script,
    send: (command: "evalsha" | "eval", digestOrSource: string) => Promise<unknown>,
  ): Promise<unknown> {
    try {
      return await send("evalsha", sha);
    } catch (error) {
      if (!isReply(error) || !error.message.startsWith("NOSCRIPT")) throw withoutArguments(error);
    }
    try {
      return await send("eval", source);
    } catch (error) {
      throw withoutArguments(error);
    }
  }

  async #open(): Promise<void> {
    // For a cluster that is down at first ioredis settles nothing, and connects again.
    const ready = new Promise<void>((resolve) => this.client.once("ready", resolve));
    await Promise.race([this.client.connect(), ready]);
    // ioredis only emits the error of a database that does not exist, and would go on in database 0.
    if (isReply(this.#lastError)) throw this.#lastError;
    await this.#options.setUp?.(this.client);
  }

  #onClose(): void {
    const wasUp = this.#up;
    this.#up = false;
    if (this.#closed) return;
    if (isCluster(this.client)) setTimeout(() => this.#reconnectCluster(), SETUP_BACKOFF_MS);
    if (wasUp) this.#options.onStatus?.(false, this.lostError());
  }

  /** A node that is slow to close may do so when the client looks up the others' addresses, and ioredis then does nothing more. */
  #reconnectCluster(): void {
    if (!this.#closed && this.client.status === "close") this.client.connect().catch(() => {});
  }

  async #onReady(): Promise<void> {
    if (!this.#opened || this.#closed) return;
    this.#reconnects += 1;
    const current = this.#reconnects;
    try {
      await this.#options.setUp?.(this.client);
    } catch (error) {
      this.#lastError = error instanceof Error ? withoutArguments(error) : new Error(String(error));
      // Try again with a new connection, unless this one is gone by then: a client that is told to reconnect while it looks up
      // where to connect never does.
      const reconnect = () => {
        const isStill = this.#reconnects === current && this.client.status === "ready";
        if (!this.#closed && isStill) this.client.disconnect(true);
      };
      setTimeout(reconnect, SETUP_BACKOFF_MS);
      return;
    }
    if (this.#closed || this.#reconnects !== current || this.client.status !== "ready") return;
    this.#up = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    this.#options.onStatus?.(true, undefined);
  }
}

function longestBackoff(lease: number): number {
  return Math.min(MAX_BACKOFF_MS, Math.max(INITIAL_BACKOFF_MS, lease / 4));
}

/** The jitter keeps services that a restart cut off from all coming back at once. */
function backoff(times: number, longest: number): number {
  return Math.min(INITIAL_BACKOFF_MS * 2 ** Math.min(times - 1, 10), longest) * (0.5 + Math.random() / 2);
}

/** An error of a cluster says why its last node could not be reached. */
function lastNodeError(error: Error): Error {
  return "lastNodeError" in error && error.lastNodeError instanceof Error ? error.lastNodeError : error;
}
