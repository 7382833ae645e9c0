import type { Message } from "amqplib";
import { contentId, type Identified, orderAfter, stampOf } from "../wire/dead-letter-message.ts";

/** The most bytes of letters held in memory at once. */
const MOST_BYTES = 64 * 1_048_576;

/** A letter in the broker's hands while it is looked at. */
export interface HeldLetter {
  readonly id: string;
  readonly order: string;
  readonly tag: number;
}

/** Which letters' messages are wanted. */
export type Wanted = { readonly ids: ReadonlySet<string> } | { readonly first: "newest" | "oldest" };

/** The id and place of a letter; `before` is the place of the one before it in the queue. */
export function identify(message: Message, before = "0"): Identified {
  return { message, ...(stampOf(message) ?? { id: contentId(message), order: orderAfter(before) }) };
}

/** What one look at a queue has found. */
export class Scan {
  readonly #wanted: Wanted;
  readonly #letters: HeldLetter[] = [];
  readonly #messages = new Map<string, Identified>();
  readonly #stamped = new Map<string, boolean>();
  readonly unstamped: Identified[] = [];
  readonly duplicates: Message[] = [];
  #bytes = 0;
  #unstampedBytes = 0;
  #before = "0";

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  add(message: Message): void {
    const stamp = stampOf(message);
    let { id, order } = identify(message, this.#before);
    const seen = this.#stamped.get(id);
    if (seen !== undefined) {
      // Two letters of the original may be the same in every byte; one that this library stamped is a copy.
      if (seen || stamp !== undefined) return void this.duplicates.push(message);
      for (let number = 2; this.#stamped.has(id); number += 1) id = `${contentId(message)}-${number}`;
    }
    this.#stamped.set(id, stamp !== undefined);
    if (stamp === undefined) this.#addUnstamped({ message, id, order });
    else this.#before = order;
    this.#letters.push({ id, order, tag: message.fields.deliveryTag });
    this.#keep({ id, order, message });
  }

  get size(): number {
    return this.#letters.length;
  }

  found(): { readonly letters: readonly HeldLetter[]; readonly messages: ReadonlyMap<string, Identified> } {
    const letters = this.#letters.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
    return { letters, messages: this.#messages };
  }

  #addUnstamped(letter: Identified): void {
    // One that is about to be removed needs no copy.
    if ("ids" in this.#wanted && this.#wanted.ids.has(letter.id)) return;
    this.#unstampedBytes += letter.message.content.length;
    // The rest is stamped another time.
    if (this.#unstampedBytes <= MOST_BYTES) this.unstamped.push(letter);
  }

  #keep(letter: Identified): void {
    const { id, message } = letter;
    if ("ids" in this.#wanted) {
      if (this.#wanted.ids.has(id)) this.#messages.set(id, letter);
      return;
    }
    const { length } = message.content;
    if (this.#wanted.first === "oldest" && this.#bytes + length > MOST_BYTES) return;
    // A copy: what amqplib hands out is a view of all that was read at once.
    this.#messages.set(id, { ...letter, message: { ...message, content: Buffer.from(message.content) } });
    this.#bytes += length;
    for (const [oldest, { message: kept }] of this.#messages) {
      if (this.#bytes <= MOST_BYTES || oldest === id) break;
      this.#messages.delete(oldest);
      this.#bytes -= kept.content.length;
    }
  }
}
