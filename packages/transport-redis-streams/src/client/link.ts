import { isPapaError } from "@papa-events/core";
import type { Cluster, Redis } from "ioredis";
import type { Argument, Script } from "../scripts/script.ts";
import { isReply, lostError, papaErrorOf } from "./errors.ts";
import type { Target } from "./options.ts";
import { within } from "./time-limit.ts";

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;
/** How long the server may leave a command without an answer before the connection counts as lost, in milliseconds. */
const SILENCE = 10_000;

export interface LinkOptions {
  readonly target: Target;
  /** Shown in the server's list of clients. */
  readonly connectionName: string;
  /** How long the server may wait by itself before it answers, in milliseconds. */
  readonly blocks?: number | undefined;
  /** Runs each time the connection is there, before it counts as up. */
  readonly setUp?: ((client: Redis | Cluster) => Promise<void>) | undefined;
  /** Told when the connection goes and serves again; not for the first time it does. */
  readonly onStatus?: ((up: boolean, error: Error | undefined) => void) | undefined;
}

/**
 * One connection to the server, made again for as long as it takes (L3). A command whose answer is lost fails at once:
 * only who sent it knows whether it may be sent again.
 */
export class Link {
  readonly client: Redis | Cluster;
  readonly address: string;
  readonly #options: LinkOptions;
  #up = false;
  #opened = false;
  #closed = false;
  /** How often the connection has come back. */
  #returns = 0;
  #error: Error | undefined;
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  /** Connects once. @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
  static async open(options: LinkOptions): Promise<Link> {
    const link = new Link(options);
    try {
      // A server that speaks no TLS takes the greeting for the beginning of a command, and waits for the rest.
      const silent = link.address.startsWith("rediss:")
        ? "it does not answer; does that port speak TLS?"
        : "it does not answer";
      await within(link.#open(), options.target.connectTimeout, silent);
    } catch (error) {
      link.#closed = true;
      link.client.disconnect();
      throw papaErrorOf(isPapaError(error) ? error : (link.#error ?? error), link.address);
    }
    link.#opened = true;
    link.#up = true;
    return link;
  }

  private constructor(options: LinkOptions) {
    const { target, connectionName, blocks = 0 } = options;
    this.#options = options;
    this.address = target.address;
    this.client = target.client({
      connectionName,
      lazyConnect: true,
      keyPrefix: "",
      connectTimeout: target.connectTimeout,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // With any other number an answer that is lost leaves its command waiting.
      maxRetriesPerRequest: 0,
      socketTimeout: SILENCE + blocks,
      // What was the primary is a replica now: connect to whoever is.
      reconnectOnError: (error) => error.message.startsWith("READONLY"),
      retryStrategy: (times) => (this.#opened && !this.#closed ? pauseAfter(times) : null),
    });
    this.client.on("error", (error: Error) => {
      this.#error = lastNode(error);
    });
    this.client.on("close", () => this.#lose());
    this.client.on("ready", () => void this.#return());
  }

  /** Whether it is connected and set up. */
  get up(): boolean {
    return this.#up;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the connection serves; rejects when it is closed for good. */
  whenUp(): Promise<void> {
    if (this.#up) return Promise.resolve();
    if (this.#closed) return Promise.reject(this.lost());
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Runs a script; strings are replied as strings. */
  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.#run(script, (command, ...rest) =>
      command === "evalsha"
        ? this.client.evalsha(script.sha, keys.length, ...keys, ...args)
        : this.client.eval(...rest, keys.length, ...keys, ...args),
    );
  }

  /** Runs a script; strings are replied as bytes. */
  runForBytes(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.#run(script, (command, ...rest) =>
      command === "evalsha"
        ? this.client.callBuffer("evalsha", script.sha, keys.length, ...keys, ...args)
        : this.client.callBuffer("eval", ...rest, keys.length, ...keys, ...args),
    );
  }

  lost(cause: unknown = this.#error): Error {
    return lostError(this.address, cause);
  }

  /** Ends it; what has no answer yet fails. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#up = false;
    for (const { reject } of this.#waiting.splice(0)) reject(this.lost());
    this.client.disconnect();
  }

  /** The server forgets scripts when it restarts and at `SCRIPT FLUSH`. */
  async #run(
    { source }: Script,
    send: (command: "evalsha" | "eval", source: string) => Promise<unknown>,
  ): Promise<unknown> {
    try {
      return await send("evalsha", source);
    } catch (error) {
      if (!isReply(error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return send("eval", source);
    }
  }

  async #open(): Promise<void> {
    await this.client.connect();
    // A database that does not exist is only told, and all would go on in database 0.
    if (isReply(this.#error)) throw this.#error;
    await this.#options.setUp?.(this.client);
  }

  #lose(): void {
    const wasUp = this.#up;
    this.#up = false;
    if (wasUp && !this.#closed) this.#options.onStatus?.(false, this.lost());
  }

  async #return(): Promise<void> {
    if (!this.#opened || this.#closed) return;
    this.#returns += 1;
    const mine = this.#returns;
    try {
      await this.#options.setUp?.(this.client);
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
      // Try again with a new connection, later, unless there is one by then.
      const again = () => {
        if (!this.#closed && this.#returns === mine) this.client.disconnect(true);
      };
      setTimeout(again, FIRST_PAUSE * 5);
      return;
    }
    if (this.#closed || this.#returns !== mine || this.client.status !== "ready") return;
    this.#up = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    this.#options.onStatus?.(true, undefined);
  }
}

/** Jitter, so that the services that a server's restart cut off do not all come back at once. */
function pauseAfter(times: number): number {
  return Math.min(FIRST_PAUSE * 2 ** Math.min(times - 1, 10), LONGEST_PAUSE) * (0.5 + Math.random() / 2);
}

/** A cluster that cannot be reached tells why the last of its nodes could not. */
function lastNode(error: Error): Error {
  return "lastNodeError" in error && error.lastNodeError instanceof Error ? error.lastNodeError : error;
}
