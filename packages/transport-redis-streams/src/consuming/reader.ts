import { isGone, isReply } from "../client/errors.ts";
import { Link } from "../client/link.ts";
import { sleep } from "../client/time-limit.ts";
import { GROUP } from "../wire/keys.ts";
import type { Subscriber } from "./subscriber.ts";

/** How long the server waits for an event before it answers that there is none, in milliseconds. */
const BLOCK = 2_000;
/** How long stopping waits for an answer. */
const STOPPING = 4_000;
/** About how many bytes one read may bring. */
const READ_BYTES = 8 * 1_048_576;
/** The pause after a failed read, in milliseconds. */
const PAUSE = 100;
const LONGEST_PAUSE = 5_000;
/** How many pending entries are looked through at once. */
const PAGE = 1_000;

type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

/** Reads a queue on a connection of its own, for it waits there. */
export class Reader {
  readonly #subscriber: Subscriber;
  #link: Link | undefined;
  /** The connection as the server calls it. */
  #id: number | undefined;
  /** An answer may have been lost: entries may be pending that have not arrived. */
  #suspect = false;
  #ended: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  /** The size of an entry, as it has been lately. */
  #bytes = 1_024;

  constructor(subscriber: Subscriber) {
    this.#subscriber = subscriber;
  }

  /** @throws PapaError */
  async open(): Promise<void> {
    const { target, appName, useCase } = this.#subscriber.options;
    this.#link = await Link.open({
      target,
      connectionName: `${appName}:${useCase}`,
      blocks: BLOCK,
      setUp: async (client) => {
        this.#id = client.isCluster ? undefined : Number(await client.client("ID"));
      },
    });
  }

  begin(): void {
    this.#ended = this.#run();
  }

  /** There may be room now. */
  wake(): void {
    if (this.#wake === undefined || this.#subscriber.room < this.#subscriber.roomToRead) return;
    this.#wake();
  }

  suspect(): void {
    this.#suspect = true;
  }

  /** Ends a read that waits; best effort, for it ends by itself a little later. */
  interrupt(): void {
    const link = this.#subscriber.options.link();
    if (this.#id !== undefined && link.up) link.client.client("UNBLOCK", this.#id).catch(() => {});
  }

  /** Resolves when nothing more will be read. */
  async stop(): Promise<void> {
    this.#wake?.();
    let ended = false;
    const over = this.#ended.then(() => {
      ended = true;
    });
    const until = performance.now() + STOPPING;
    while (!ended && performance.now() < until && this.#link?.up === true) {
      // Again, since a read that is under way begins to wait after this call has been answered.
      this.interrupt();
      await Promise.race([over, sleep(PAUSE / 2)]);
    }
    if (!ended) this.#link?.close();
    await over;
  }

  close(): void {
    this.#link?.close();
  }

  async #run(): Promise<void> {
    let pause = PAUSE;
    while (this.#subscriber.open) {
      try {
        if (this.#subscriber.room < this.#subscriber.roomToRead) await this.#whenRoom();
        else await this.#read();
        pause = PAUSE;
      } catch (error) {
        if (!this.#subscriber.open) return;
        await this.#failed(error, pause);
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      }
    }
  }

  async #read(): Promise<void> {
    const subscriber = this.#subscriber;
    const link = this.#link;
    if (link === undefined) return;
    if (!link.up) await link.whenUp();
    await subscriber.leased();
    if (this.#suspect) await this.#recover();
    const { claim, room, mostToRead, options } = subscriber;
    const count = Math.min(room, mostToRead, Math.max(1, Math.floor(READ_BYTES / this.#bytes)));
    if (count < 1 || !subscriber.open) return;
    const reply = (await link.client.xreadgroupBuffer(
      "GROUP",
      GROUP,
      claim.consumer,
      "COUNT",
      count,
      "BLOCK",
      BLOCK,
      "STREAMS",
      options.keys.queue,
      ">",
    )) as readonly (readonly [Buffer, readonly Entry[]])[] | null;
    for (const [id, fields] of reply?.[0]?.[1] ?? []) {
      this.#bytes += ((fields[1]?.length ?? 0) - this.#bytes) / 16;
      subscriber.deliver(claim, id.toString("latin1"), fields, 0);
    }
  }

  /** Takes what the server has handed to this consumer in an answer that was lost. */
  async #recover(): Promise<void> {
    const subscriber = this.#subscriber;
    const { claim, options } = subscriber;
    const { queue } = options.keys;
    // Not waited for: stopping would wait too.
    if (!options.link().up) throw options.link().lost();
    await subscriber.alone(async () => {
      const { client } = options.link();
      for (let from = "-"; ; ) {
        const page = (await client.xpending(queue, GROUP, from, "+", PAGE, claim.consumer)) as Pending[];
        const known = claim.known();
        const missing = page.filter(([entry]) => !known.has(entry));
        const found = (await Promise.all(
          missing.map(([entry]) => client.xrangeBuffer(queue, entry, entry)),
        )) as Entry[][];
        for (const [index, [entry, , , times]] of missing.entries()) {
          const fields = found[index]?.[0]?.[1];
          if (fields !== undefined) subscriber.deliver(claim, entry, fields, Math.max(0, times - 1));
        }
        const last = page.at(-1);
        if (page.length < PAGE || last === undefined) break;
        from = `(${last[0]}`;
      }
      this.#suspect = false;
    });
  }

  async #failed(error: unknown, pause: number): Promise<void> {
    const { options } = this.#subscriber;
    if (isGone(error)) {
      options.logger.warn({ useCase: options.useCase }, "The queue was deleted on the server; it is made again.");
      await options.redeclare().catch(() => {});
    } else if (isReply(error)) {
      options.logger.warn({ useCase: options.useCase, error }, "The queue could not be read; it is tried again.");
    } else {
      this.#suspect = true;
      if (this.#link?.up !== true) return;
    }
    await sleep(pause);
  }

  async #whenRoom(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}

type Pending = readonly [entry: string, consumer: string, idle: number, times: number];
