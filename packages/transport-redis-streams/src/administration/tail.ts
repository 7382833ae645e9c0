import { randomUUID } from "node:crypto";
import { PapaError } from "@papa-events/core";
import type { Tail, TailListener } from "@papa-events/core/transport";
import type { Target } from "../client/options.ts";
import { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { within } from "../client/time-limit.ts";
import { closeTail } from "../scripts/close-tail.ts";
import { keepTail } from "../scripts/keep-tail.ts";
import { openTail } from "../scripts/open-tail.ts";
import type { Argument, Script } from "../scripts/script.ts";
import type { Keys, TailKeys } from "../wire/keys.ts";
import { PackedEvent } from "../wire/packed-event.ts";

/** How long the server keeps a tail whose reader gives no sign: what a killed process leaves is gone then. */
const KEEP_MS = 20_000;
/** How long a read blocks on the server when there is nothing. Then the reader gives a sign. */
const BLOCK_MS = 2_000;
/** How many bytes of events the server holds for one tail, and one event more. What comes beyond that is dropped. */
const MAX_BYTES = 8 * 1_048_576;
const MAX_ENTRIES_PER_READ = 512;
const CLOSE_TIMEOUT_MS = 1_000;

export interface TailOptions {
  readonly target: Target;
  readonly keys: Keys;
  readonly connection: ReconnectingConnection;
  readonly appName: string;
  readonly onClosed: (tail: RedisTail) => void;
}

type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

/**
 * Shows events as they are published. Publishers add copies to a stream of the tail's own, which holds as much as is given
 * back to it: a reader that is slow makes it drop events, and takes nobody's time or memory.
 */
export class RedisTail implements Tail {
  readonly #id = randomUUID();
  readonly #patterns: readonly string[];
  readonly #listener: TailListener;
  readonly #options: TailOptions;
  readonly #keys: TailKeys;
  #reading: ReconnectingConnection | undefined;
  #open = true;
  #closing: Promise<void> | undefined;

  /** Resolves when all that is published from then on is shown. @throws PapaError */
  static async open(patterns: readonly string[], listener: TailListener, options: TailOptions): Promise<RedisTail> {
    const tail = new RedisTail(patterns, listener, options);
    try {
      await tail.#begin();
    } catch (error) {
      await tail.stop();
      throw options.connection.toPapaError(error);
    }
    void tail.#run();
    return tail;
  }

  private constructor(patterns: readonly string[], listener: TailListener, options: TailOptions) {
    this.#patterns = patterns;
    this.#listener = listener;
    this.#options = options;
    this.#keys = options.keys.forTail(this.#id);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  stop(): Promise<void> {
    this.#open = false;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends it without having been asked to. */
  async end(error: Error): Promise<void> {
    if (!this.#open) return;
    const stopped = this.stop();
    this.#listener.onEnd(error);
    await stopped;
  }

  async #begin(): Promise<void> {
    const { target, appName, connection } = this.#options;
    this.#reading = await ReconnectingConnection.open({
      target,
      connectionName: `${appName}:tail`,
      blocks: BLOCK_MS,
      // What was published meanwhile is not known, so it does not go on as if nothing had been missed.
      onStatus: (up) => {
        if (!up) void this.end(connection.lostError());
      },
    });
    await this.#call(openTail, MAX_BYTES);
  }

  async #run(): Promise<void> {
    let next = "0";
    try {
      while (this.#open) {
        const entries = await this.#read(next);
        if (!this.#open) return;
        let bytes = 0;
        for (const [id, [, packed]] of entries) {
          next = id.toString();
          if (packed === undefined) continue;
          bytes += packed.length;
          if (this.#open) this.#listener.onEvent(new PackedEvent(packed));
        }
        const read = entries.length === 0 ? "" : following(next);
        const [alive, dropped] = (await this.#call(keepTail, bytes, read)) as [number, number];
        if (alive === 0) throw this.#forgotten();
        if (dropped > 0 && this.#open) this.#listener.onDropped(dropped);
      }
    } catch (error) {
      await this.end(this.#options.connection.toPapaError(error));
    }
  }

  async #read(after: string): Promise<readonly Entry[]> {
    const client = this.#reading?.client;
    const count = ["COUNT", MAX_ENTRIES_PER_READ, "BLOCK", BLOCK_MS] as const;
    const reply = (await client?.xreadBuffer(...count, "STREAMS", this.#keys.stream, after)) as
      | readonly (readonly [Buffer, readonly Entry[]])[]
      | null;
    return reply?.[0]?.[1] ?? [];
  }

  async #close(): Promise<void> {
    this.#reading?.close();
    // Where this fails, it ends by itself.
    if (this.#options.connection.up)
      await within(this.#call(closeTail), CLOSE_TIMEOUT_MS, "it takes too long").catch(() => {});
    this.#options.onClosed(this);
  }

  #forgotten(): PapaError {
    const { address } = this.#options.connection;
    const message = `The server at ${address} has forgotten the tail: it was deleted, or its reader was silent for too long.`;
    return new PapaError("connection-failed", message, { transport: "redis-streams", address }, { retryable: true });
  }

  #call(script: Script, ...args: readonly Argument[]): Promise<unknown> {
    const { connection, keys } = this.#options;
    const { stream, state } = this.#keys;
    const all = [randomUUID(), this.#id, this.#patterns.join(" "), KEEP_MS, ...args];
    return connection.run(script, [keys.version, keys.tails, stream, state], all);
  }
}

/** The least id after an entry's. */
function following(id: string): string {
  const [time = "0", number = "0"] = id.split("-");
  return `${time}-${Number(number) + 1}`;
}
