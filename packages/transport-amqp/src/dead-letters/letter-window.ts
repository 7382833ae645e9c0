import { deserialize, serialize } from "node:v8";
import { HEADER } from "@papa-events/core/transport";
import type { Message } from "amqplib";
import type { StampedMessage } from "../wire/dead-letter-stamp.ts";
import { tableSize } from "../wire/table-size.ts";

/** Where a page ended. */
export interface Cursor {
  readonly position: string;
  readonly id: string;
}

/** Which part of the dead letters is wanted. */
export interface WindowOptions {
  readonly order: "newest" | "oldest";
  /** Only what comes behind this one. */
  readonly after?: Cursor | undefined;
  /** Only what was there with this one. */
  readonly upTo?: Cursor | undefined;
  readonly limit: number;
  readonly maxBytes: number;
}

/** What an object takes in memory besides its bytes. */
const OVERHEAD_BYTES = 2_048;

/** What a packed message takes besides its bytes. */
const PACKED_OVERHEAD_BYTES = 512;

/** A dead letter, or one as one piece of memory: that takes a third, and as long to make as to receive it. */
interface Kept extends Cursor {
  readonly message: Message | Buffer;
  readonly bytes: number;
}

/** Keeps those of many dead letters that come first in an order, as many as memory allows. They may come in any order. */
export class LetterWindow {
  readonly #options: WindowOptions;
  /** The oldest first. */
  readonly #kept: Kept[] = [];
  /** How many at the beginning of the list have gone again. */
  #gone = 0;
  #bytes = 0;
  #more = false;
  #last: Cursor | undefined;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** Whether there is more behind what is kept. */
  get more(): boolean {
    return this.#more;
  }

  /** The newest of all that were added. */
  get last(): Cursor | undefined {
    return this.#last;
  }

  /** How many were kept. */
  get size(): number {
    return this.#kept.length - this.#gone;
  }

  /** Where what was kept ends. */
  get end(): Cursor | undefined {
    return this.#options.order === "newest" ? this.#kept[this.#gone] : this.#kept.at(-1);
  }

  /** What was kept, in the order that was asked for. */
  *letters(): Generator<StampedMessage> {
    const kept = this.#kept.slice(this.#gone);
    if (this.#options.order === "newest") kept.reverse();
    for (const { id, position, message } of kept)
      yield { id, position, message: Buffer.isBuffer(message) ? (deserialize(message) as Message) : message };
  }

  /** Says that there is more behind what was added. */
  continues(): void {
    this.#more = true;
  }

  add(letter: StampedMessage): void {
    const { order, after, upTo } = this.#options;
    if (this.#last === undefined || compare(letter, this.#last) > 0)
      this.#last = { position: letter.position, id: letter.id };
    if (upTo !== undefined && compare(letter, upTo) > 0) return;
    if (after !== undefined && (order === "newest" ? compare(letter, after) >= 0 : compare(letter, after) <= 0)) return;
    const farthest = this.end;
    if (this.#more && farthest !== undefined && this.#isBehind(letter, farthest)) return;
    const kept = Number.isFinite(this.#options.limit) ? copied(letter) : packed(letter);
    this.#insert(kept);
    this.#bytes += kept.bytes;
    while (this.size > this.#options.limit || (this.#bytes > this.#options.maxBytes && this.size > 1))
      this.#dropFarthest();
  }

  #isBehind(letter: Cursor, other: Cursor): boolean {
    return this.#options.order === "newest" ? compare(letter, other) < 0 : compare(letter, other) > 0;
  }

  /** Most come in their order, so that the place is near the end. */
  #insert(letter: Kept): void {
    let at = this.#kept.length;
    while (at > this.#gone && compare(this.#kept[at - 1] ?? letter, letter) > 0) at -= 1;
    if (at === this.#kept.length) this.#kept.push(letter);
    else this.#kept.splice(at, 0, letter);
  }

  #dropFarthest(): void {
    this.#more = true;
    const dropped = this.#options.order === "newest" ? this.#kept[this.#gone] : this.#kept.pop();
    if (dropped !== undefined) this.#bytes -= dropped.bytes;
    if (this.#options.order !== "newest") return;
    delete this.#kept[this.#gone];
    this.#gone += 1;
    if (this.#gone < 1_024 || this.#gone * 2 < this.#kept.length) return;
    this.#kept.splice(0, this.#gone);
    this.#gone = 0;
  }
}

/** A copy: amqplib hands out views of everything that it read at once. */
function copied(letter: StampedMessage): Kept {
  const { id, position, message } = letter;
  return { id, position, message: { ...message, content: Buffer.from(message.content) }, bytes: sizeOf(letter) };
}

function packed({ id, position, message: { fields, properties, content } }: StampedMessage): Kept {
  const { exception, ...headers } = (properties.headers ?? {}) as Record<string, unknown>;
  // Ours have the stack twice, the second time for tools of the original.
  const isOurs = exception !== undefined && headers[HEADER.reason] !== undefined;
  let message: Buffer;
  try {
    message = serialize({ fields, properties: isOurs ? { ...properties, headers } : properties, content });
  } catch {
    // Some thousand lists in one another, which somebody else has put there.
    const texts = Object.entries(headers).filter(([, value]) => typeof value === "string");
    message = serialize({ fields, properties: { ...properties, headers: Object.fromEntries(texts) }, content });
  }
  return { id, position, message, bytes: message.length + PACKED_OVERHEAD_BYTES };
}

/** Orders dead letters: the older first. */
function compare(one: Cursor, other: Cursor): number {
  if (one.position !== other.position) return one.position < other.position ? -1 : 1;
  if (one.id === other.id) return 0;
  return one.id < other.id ? -1 : 1;
}

/** About how much memory a dead letter takes. */
export function sizeOf({ message }: Pick<StampedMessage, "message">): number {
  return message.content.length + tableSize(message.properties.headers ?? {}) + OVERHEAD_BYTES;
}
