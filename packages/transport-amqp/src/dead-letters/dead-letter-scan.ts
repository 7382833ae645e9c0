import type { Message } from "amqplib";
import { contentId, type DeadLetterStamp, type StampedMessage, stamped, stampOf } from "../wire/dead-letter-stamp.ts";

/** How many bytes of dead letters are held in memory at once. */
const MAX_HELD_BYTES = 64 * 1_048_576;

/** A dead letter that a channel holds while it is looked at. */
export interface HeldDeadLetter extends DeadLetterStamp {
  readonly tag: number;
}

/** Which dead letters' messages to keep. */
export type Selection = { readonly ids: ReadonlySet<string> } | { readonly first: "newest" | "oldest" };

/** Collects what one reading of a dead-letter queue has found. */
export class DeadLetterScan {
  readonly #selection: Selection;
  readonly #deadLetters: HeldDeadLetter[] = [];
  readonly #messages = new Map<string, StampedMessage>();
  /** The ids found so far, and whether each came with a stamp. */
  readonly #ids = new Map<string, boolean>();
  /** Dead letters of the original, which are to be replaced by stamped copies. */
  readonly unstamped: StampedMessage[] = [];
  /** Copies that a crash has left behind. */
  readonly duplicates: Message[] = [];
  #bytes = 0;
  #unstampedBytes = 0;
  #before = "0";

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  add(message: Message): void {
    const stamp = stampOf(message);
    let { id, position } = stamped(message, this.#before);
    const known = this.#ids.get(id);
    if (known !== undefined) {
      // Two of the original's may be equal in every byte; one that has a stamp is a copy.
      if (known || stamp !== undefined) return void this.duplicates.push(message);
      for (let number = 2; this.#ids.has(id); number += 1) id = `${contentId(message)}-${number}`;
    }
    this.#ids.set(id, stamp !== undefined);
    if (stamp === undefined) this.#addUnstamped({ message, id, position });
    else this.#before = position;
    this.#deadLetters.push({ id, position, tag: message.fields.deliveryTag });
    this.#keep({ id, position, message });
  }

  get size(): number {
    return this.#deadLetters.length;
  }

  /** Returns the dead letters, oldest first, and the messages that were kept. */
  found(): { readonly deadLetters: readonly HeldDeadLetter[]; readonly messages: ReadonlyMap<string, StampedMessage> } {
    const deadLetters = this.#deadLetters.sort((a, b) =>
      a.position < b.position ? -1 : a.position > b.position ? 1 : 0,
    );
    return { deadLetters, messages: this.#messages };
  }

  #addUnstamped(stampedMessage: StampedMessage): void {
    // One that is about to be removed needs no copy.
    if ("ids" in this.#selection && this.#selection.ids.has(stampedMessage.id)) return;
    this.#unstampedBytes += stampedMessage.message.content.length;
    // The rest is stamped by a later reading.
    if (this.#unstampedBytes <= MAX_HELD_BYTES) this.unstamped.push(stampedMessage);
  }

  #keep(stampedMessage: StampedMessage): void {
    const { id, message } = stampedMessage;
    if ("ids" in this.#selection) {
      if (this.#selection.ids.has(id)) this.#messages.set(id, stampedMessage);
      return;
    }
    const { length } = message.content;
    if (this.#selection.first === "oldest" && this.#bytes + length > MAX_HELD_BYTES) return;
    // A copy: amqplib hands out views of everything that it read at once.
    this.#messages.set(id, { ...stampedMessage, message: { ...message, content: Buffer.from(message.content) } });
    this.#bytes += length;
    for (const [oldest, { message: kept }] of this.#messages) {
      if (this.#bytes <= MAX_HELD_BYTES || oldest === id) break;
      this.#messages.delete(oldest);
      this.#bytes -= kept.content.length;
    }
  }
}
