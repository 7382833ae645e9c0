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

/** Keeps those of many dead letters that come first in an order, as many as memory allows. They may come in any order. */
export class LetterWindow {
  readonly #options: WindowOptions;
  /** The oldest first. */
  readonly #kept: StampedMessage[] = [];
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

  /** What was kept, in the order that was asked for. */
  get letters(): readonly StampedMessage[] {
    const letters = this.#kept.slice(this.#gone);
    return this.#options.order === "newest" ? letters.reverse() : letters;
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
    const kept = this.#kept;
    const farthest = order === "newest" ? kept[this.#gone] : kept.at(-1);
    if (this.#more && farthest !== undefined && this.#isBehind(letter, farthest)) return;
    this.#insert({ ...letter, message: { ...letter.message, content: Buffer.from(letter.message.content) } });
    this.#bytes += sizeOf(letter);
    while (this.#size > this.#options.limit || (this.#bytes > this.#options.maxBytes && this.#size > 1))
      this.#dropFarthest();
  }

  get #size(): number {
    return this.#kept.length - this.#gone;
  }

  #isBehind(letter: Cursor, other: Cursor): boolean {
    return this.#options.order === "newest" ? compare(letter, other) < 0 : compare(letter, other) > 0;
  }

  /** Most come in their order, so that the place is near the end. */
  #insert(letter: StampedMessage): void {
    let at = this.#kept.length;
    while (at > this.#gone && compare(this.#kept[at - 1] ?? letter, letter) > 0) at -= 1;
    if (at === this.#kept.length) this.#kept.push(letter);
    else this.#kept.splice(at, 0, letter);
  }

  #dropFarthest(): void {
    this.#more = true;
    const dropped = this.#options.order === "newest" ? this.#kept[this.#gone] : this.#kept.pop();
    if (dropped !== undefined) this.#bytes -= sizeOf(dropped);
    if (this.#options.order !== "newest") return;
    delete this.#kept[this.#gone];
    this.#gone += 1;
    if (this.#gone < 1_024 || this.#gone * 2 < this.#kept.length) return;
    this.#kept.splice(0, this.#gone);
    this.#gone = 0;
  }
}

/** Orders dead letters: the older first. */
export function compare(one: Cursor, other: Cursor): number {
  if (one.position !== other.position) return one.position < other.position ? -1 : 1;
  if (one.id === other.id) return 0;
  return one.id < other.id ? -1 : 1;
}

/** About how much memory a dead letter takes. */
export function sizeOf({ message }: Pick<StampedMessage, "message">): number {
  return message.content.length + tableSize(message.properties.headers ?? {}) + OVERHEAD_BYTES;
}
