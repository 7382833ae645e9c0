import type { Logger } from "@papa-events/core/transport";
import { isBug, isQueueMissing, isReply, isTransient } from "../client/errors.ts";
import type { Target } from "../client/options.ts";
import { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { sleep } from "../client/time-limit.ts";
import { withoutArguments } from "../client/without-arguments.ts";
import { LatestEntrySize, sizeOfEntry } from "../wire/entry-size.ts";
import { GROUP, type UseCaseKeys } from "../wire/keys.ts";
import type { ReceivedEntry } from "./delivery.ts";
import type { ReadAhead, Sharer } from "./read-ahead.ts";

/** How long a read blocks on the server when the queue is empty. A thousand idle use cases are two hundred reads a second. */
const BLOCK_MS = 5_000;
/** How long stopping waits for a reply. What it brings then is released with the consumer. */
const STOP_TIMEOUT_MS = 1_000;
/** How often stopping interrupts a read. */
const INTERRUPT_INTERVAL_MS = 50;
/** About how many bytes one read may bring. */
const MAX_READ_BYTES = 8 * 1_048_576;
/** How large entries are taken to be before any was read: a read has no bound in bytes, so the first ones are small. */
const INITIAL_ENTRY_BYTES = 64 * 1_024;
const INITIAL_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;
/** How long less room than is worth a round trip is left unused, in milliseconds. */
const MAX_WAIT_FOR_MORE_ROOM_MS = 10;
/** How many pending entries are looked through at once. */
const PENDING_PAGE_SIZE = 1_000;

type Entry = readonly [id: Buffer, fields: readonly Buffer[]];
type PendingEntry = readonly [entry: string, consumer: string, idle: number, deliveries: number];

/** The consumer that a reader reads for. */
export interface ReadingConsumer extends Sharer {
  /** Whether it takes deliveries. */
  readonly open: boolean;
  readonly consumer: string;
  /** How many more entries it takes, and how many bytes. */
  readonly room: number;
  readonly roomBytes: number;
  /** The entries that it has. */
  entries(): ReadonlySet<string>;
  deliver(entry: ReceivedEntry): void;
  /** Takes entries that were read for a consumer whose lease has ended meanwhile. */
  adoptLate(entries: readonly ReceivedEntry[]): Promise<void>;
  /** Runs `act` while nothing is being taken over. */
  exclusively<T>(act: () => Promise<T>): Promise<T>;
}

export interface ReaderOptions {
  readonly useCase: string;
  readonly target: Target;
  /** Shown in the server's list of clients. */
  readonly appName: string;
  /** How many deliveries may be unsettled, here and on other shards. */
  readonly readAhead: ReadAhead;
  readonly keys: UseCaseKeys;
  readonly connection: ReconnectingConnection;
  /** A connection on which nothing takes long. */
  readonly control: ReconnectingConnection;
  readonly logger: Logger;
  /** Makes the queue again after it was deleted. */
  readonly redeclare: () => Promise<void>;
  /** Called with what keeps the queue from being read, and with `undefined` when that is over. */
  readonly onReadProblem: (problem: string | undefined) => void;
}

/** Reads a queue on a connection of its own, because reading blocks it. */
export class Reader {
  readonly #consumer: ReadingConsumer;
  readonly #options: ReaderOptions;
  #reading: ReconnectingConnection | undefined;
  #closed = false;
  /** The server's id of that connection. */
  #clientId: number | undefined;
  /** A reply may be lost, so entries may be pending that have not arrived here. */
  #replyLost = false;
  #ended: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  #waitForMore: NodeJS.Timeout | undefined;
  readonly #entrySize = new LatestEntrySize(INITIAL_ENTRY_BYTES);
  #failed = false;

  constructor(consumer: ReadingConsumer, options: ReaderOptions) {
    this.#consumer = consumer;
    this.#options = options;
  }

  /** @throws PapaError */
  async open(): Promise<void> {
    const { target, appName, useCase } = this.#options;
    const reading = await ReconnectingConnection.open({
      target,
      connectionName: `${appName}:${useCase}`,
      blocks: BLOCK_MS,
      setUp: async (client) => {
        this.#clientId = client.isCluster ? undefined : Number(await client.client("ID"));
      },
    });
    this.#reading = reading;
    // Closed while it was opened: a start that failed leaves nothing.
    if (this.#closed) reading.close();
  }

  start(): void {
    this.#ended = this.#run();
  }

  /** Reads on if there is room now: at once where it is worth a round trip, else a little later. */
  wake(): void {
    if (this.#wake === undefined) return;
    const { room } = this.#consumer;
    if (room >= this.#options.readAhead.minRoomToRead) this.#wake();
    else if (room > 0) this.#waitForMore ??= setTimeout(() => this.#wake?.(), MAX_WAIT_FOR_MORE_ROOM_MS);
  }

  /** Looks for entries that the server delivered in a reply that was lost, before the next read. */
  onReplyLost(): void {
    this.#replyLost = true;
  }

  /** Ends a read that blocks. Best effort: the read ends by itself a little later. */
  interrupt(): void {
    const { control } = this.#options;
    if (this.#clientId !== undefined && control.up) control.client.client("UNBLOCK", this.#clientId).catch(() => {});
  }

  /** Resolves when nothing more will be read; the connection for it is closed then. */
  async stop(): Promise<void> {
    this.#wake?.();
    let ended = false;
    const end = this.#ended.then(() => {
      ended = true;
    });
    const deadline = performance.now() + STOP_TIMEOUT_MS;
    while (!ended && performance.now() < deadline && this.#reading?.up === true) {
      // Repeated: a read that is on its way may only begin to block after this call was answered.
      this.interrupt();
      await Promise.race([end, sleep(INTERRUPT_INTERVAL_MS)]);
    }
    this.#reading?.close();
    await end;
    if (this.#failed) this.#options.onReadProblem(undefined);
  }

  close(): void {
    this.#closed = true;
    this.#reading?.close();
  }

  async #run(): Promise<void> {
    const receiver = this.#consumer;
    const { readAhead } = this.#options;
    let backoff = INITIAL_BACKOFF_MS;
    while (receiver.open) {
      try {
        if (receiver.room < readAhead.minRoomToRead) await this.#whenRoom();
        if (this.#reading?.up !== true) await this.#whenUp();
        if (this.#replyLost) {
          await this.#recoverLostReply();
          if (this.#replyLost) continue;
        }
        const { consumer } = receiver;
        const entries = await this.#read(consumer);
        const late = this.#deliver(entries, consumer);
        if (late.length > 0) await receiver.adoptLate(late);
        // Handlers begin when this waits. Where more is to come the server has the next read before, where not they come first.
        if (entries.length < readAhead.minRoomToRead) await undefined;
        backoff = INITIAL_BACKOFF_MS;
        if (this.#failed) this.#options.onReadProblem(undefined);
        this.#failed = false;
      } catch (error) {
        readAhead.release(receiver, 0);
        if (!isReply(error)) this.#replyLost = true;
        if (!receiver.open) return;
        await this.#onFailure(withoutArguments(error), backoff);
        backoff = Math.min(backoff * 2, MAX_BACKOFF_MS);
      }
    }
  }

  async #whenUp(): Promise<void> {
    // Others need not wait for it.
    this.#options.readAhead.reserve(this.#consumer, 0);
    await this.#reading?.whenUp();
  }

  /** How many entries there is room for at once, if they are as large as the latest. */
  get #room(): number {
    const { room, roomBytes } = this.#consumer;
    return Math.min(room, this.#entrySize.countIn(Math.min(MAX_READ_BYTES, roomBytes)));
  }

  /** Reads as much as there is room for, which is set aside until it is delivered. */
  async #read(consumer: string): Promise<readonly Entry[]> {
    const receiver = this.#consumer;
    const { readAhead, keys } = this.#options;
    const count = Math.min(this.#room, readAhead.maxRead(receiver));
    const client = this.#reading?.client;
    if (count < 1 || !receiver.open || client === undefined) return [];
    readAhead.reserve(receiver, count);
    const block = Math.min(BLOCK_MS, readAhead.maxBlock);
    const args = ["GROUP", GROUP, consumer, "COUNT", count, "BLOCK", block, "STREAMS", keys.queue, ">"] as const;
    const reply = (await client.xreadgroupBuffer(...args)) as readonly (readonly [Buffer, readonly Entry[]])[] | null;
    return reply?.[0]?.[1] ?? [];
  }

  /** Gives those that belong to nobody here, since the lease of the consumer that they were read for has ended. */
  #deliver(entries: readonly Entry[], consumer: string): readonly ReceivedEntry[] {
    const receiver = this.#consumer;
    const late: ReceivedEntry[] = [];
    for (const [id, fields] of entries) {
      this.#noteSize(fields);
      const entry = { consumer, entry: id.toString("latin1"), fields, redeliveries: 0 };
      if (consumer === receiver.consumer) receiver.deliver(entry);
      else late.push(entry);
    }
    this.#options.readAhead.release(receiver, entries.length);
    return late;
  }

  #noteSize(fields: readonly Buffer[]): void {
    // Of this library's entries it is the second; other programs add what they like.
    this.#entrySize.note(fields.length === 2 ? (fields[1]?.length ?? 0) : sizeOfEntry(fields));
  }

  /**
   * Takes the entries that the server delivered to this consumer in a reply that was lost, as many as there is room for: a
   * server that has lost its last second may have many (H9).
   */
  async #recoverLostReply(): Promise<void> {
    const receiver = this.#consumer;
    const { connection, keys } = this.#options;
    // Not waited for: stopping would wait too.
    if (!connection.up) throw connection.lostError();
    await receiver.exclusively(async () => {
      const { client } = connection;
      const { consumer } = receiver;
      for (let from = "-"; ; ) {
        // From before the look: what is settled meanwhile may still be pending in its reply.
        const known = receiver.entries();
        const args = [from, "+", PENDING_PAGE_SIZE, consumer] as const;
        const page = (await client.xpending(keys.queue, GROUP, ...args)) as PendingEntry[];
        const missing = page.filter(([entry]) => !known.has(entry));
        for (let at = 0; at < missing.length; ) {
          const room = this.#room;
          if (room < 1) return;
          const part = missing.slice(at, at + room);
          const found = (await Promise.all(
            part.map(([entry]) => client.xrangeBuffer(keys.queue, entry, entry)),
          )) as Entry[][];
          for (const [index, [entry, , , deliveries]] of part.entries()) {
            const fields = found[index]?.[0]?.[1];
            if (fields === undefined) continue;
            this.#noteSize(fields);
            receiver.deliver({ consumer, entry, fields, redeliveries: Math.max(0, deliveries - 1) });
          }
          at += part.length;
        }
        const last = page.at(-1);
        if (page.length < PENDING_PAGE_SIZE || last === undefined) break;
        from = `(${last[0]}`;
      }
      this.#replyLost = false;
    });
  }

  async #onFailure(error: unknown, backoff: number): Promise<void> {
    const { logger, useCase, redeclare, onReadProblem } = this.#options;
    if (isQueueMissing(error)) {
      await redeclare().catch((problem: Error) => {
        // While a cluster moves its slot, it is merely elsewhere.
        if (isTransient(problem)) return;
        logger.warn({ useCase, err: problem }, "The queue is missing on the server. Making it again is tried again.");
        this.#failed = true;
        onReadProblem(`the queue is missing on the server and cannot be made again: ${problem.message}`);
      });
    } else if (isReply(error) || isBug(error)) {
      logger.warn({ useCase, err: error }, "The queue could not be read. It is tried again.");
      this.#failed = true;
      onReadProblem(`the queue cannot be read: ${error.message}`);
    } else if (this.#reading?.up !== true) return;
    await sleep(backoff);
  }

  async #whenRoom(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#options.readAhead.wait(this.#consumer);
      this.wake();
    });
    this.#wake = undefined;
    clearTimeout(this.#waitForMore);
    this.#waitForMore = undefined;
  }
}
