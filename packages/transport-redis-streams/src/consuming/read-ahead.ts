/** For how long a read may block that others wait for the end of, in milliseconds. */
const SHORT_BLOCK_MS = 100;
/**
 * In how many reads at least the limit is used up. An event holds its place until its outcome is stored: while one read's events are
 * acknowledged and the next one's are handled, the one after that is on its way. With fewer, client and server take turns; with
 * more, each has more to do for the same events.
 */
const MIN_READS = 3;
/** The part of its share that has to be free for a read to be worth its round trip. */
const WORTH_READING_PART = 4;
/** Which part of its share a read on a queue that was empty takes for itself while it waits. */
const IDLE_PART = 4;

/** One of those that share it. */
export interface Sharer {
  /** How many deliveries it has. */
  readonly held: number;
  /** How many of them are handed out. */
  readonly handedOut: number;
  /** Whether it would take more if this let it. */
  readonly takes: boolean;
  /** Called when there may be room again. */
  wake(): void;
}

interface Part {
  /** How many entries the read under way may bring. */
  reserved: number;
  /** Whether the last read brought none. */
  idle: boolean;
}

/**
 * How many deliveries of one use case may be unsettled at once (H9). On several shards its consumers share that: what a read may
 * bring is set aside from the others while it is under way, so that all of them together never hold more than the limit, and
 * those for which there was no room come first when there is.
 */
export class ReadAhead {
  limit: number;
  readonly #parts = new Map<Sharer, Part>();
  readonly #waiting = new Set<Sharer>();

  constructor(limit: number) {
    this.limit = limit;
  }

  join(sharer: Sharer): void {
    this.#parts.set(sharer, { reserved: 0, idle: true });
  }

  leave(sharer: Sharer): void {
    this.#parts.delete(sharer);
    this.#waiting.delete(sharer);
    this.notify(sharer);
  }

  /** How much one has where all are busy. */
  get #share(): number {
    return Math.ceil(this.limit / Math.max(1, this.#parts.size));
  }

  /** Whether as many are handed out as may be. */
  get isFull(): boolean {
    let handedOut = 0;
    for (const sharer of this.#parts.keys()) handedOut += sharer.handedOut;
    return handedOut >= this.limit;
  }

  /** How many more one may take. */
  room(sharer: Sharer): number {
    let free = this.limit;
    for (const [each, { reserved }] of this.#parts) free -= each.held + (each === sharer ? 0 : reserved);
    if (free <= 0) return 0;
    let before = 0;
    for (const each of this.#waiting) {
      if (each === sharer) break;
      if (each.takes) before += 1;
    }
    return before < free ? free : 0;
  }

  /** The room from which on a read is worth its round trip. */
  get minRoomToRead(): number {
    return Math.max(1, Math.floor(this.#share / WORTH_READING_PART));
  }

  /** The most entries of one read. While it waits on an empty queue, the others have the rest. */
  maxRead(sharer: Sharer): number {
    const parts = this.#parts.size;
    const isIdle = parts > 1 && this.#parts.get(sharer)?.idle === true;
    return Math.max(1, Math.floor(isIdle ? this.#share / IDLE_PART : this.limit / Math.max(MIN_READS, parts * 2)));
  }

  /** For how long a read may block: not long where the others have no room meanwhile. */
  get maxBlock(): number {
    const isScarce = this.#parts.size > 1 && (this.limit < this.#parts.size * 2 || this.#waiting.size > 0);
    return isScarce ? SHORT_BLOCK_MS : Number.POSITIVE_INFINITY;
  }

  /** Notes that one waits for room. */
  wait(sharer: Sharer): void {
    if (this.#parts.has(sharer)) this.#waiting.add(sharer);
  }

  /** Sets aside what a read may bring. */
  reserve(sharer: Sharer, count: number): void {
    this.#waiting.delete(sharer);
    const part = this.#parts.get(sharer);
    if (part !== undefined) part.reserved = count;
  }

  /** To be called when the read has ended, with how many it has brought. */
  release(sharer: Sharer, count: number): void {
    const part = this.#parts.get(sharer);
    if (part === undefined) return;
    part.reserved = 0;
    part.idle = count === 0;
    this.notify(sharer);
  }

  /** To be called when one may have left room for the others. */
  notify(sharer: Sharer): void {
    for (const each of this.#parts.keys()) if (each !== sharer) each.wake();
  }
}
