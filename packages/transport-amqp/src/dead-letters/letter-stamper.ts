import type { Message } from "amqplib";
import { contentId, NEVER, positionAt, type StampedMessage, stampOf, timeNow } from "../wire/dead-letter-stamp.ts";

/** Tells the dead letters apart that one pass meets, and gives those an id and a position that have none yet. */
export class LetterStamper {
  readonly #time: string;
  /** The ids met so far, and whether each came with a stamp. */
  readonly #ids = new Map<string, boolean>();
  /** The newest position met so far: what comes without one was stored after that. */
  #newest = "0";
  #placed = 0;

  /** @param lasting whether the stamps are stored; else the next pass has to give the same ones */
  constructor(lasting: boolean) {
    this.#time = lasting ? timeNow() : NEVER;
  }

  /** How many dead letters it has met, each once. */
  get count(): number {
    return this.#ids.size;
  }

  /** Resolves to `undefined` for a copy that a crash has left behind. */
  stamp(message: Message): StampedMessage | undefined {
    const stamp = stampOf(message);
    let id = stamp?.id ?? contentId(message);
    const known = this.#ids.get(id);
    // Two of the original's may be equal in every byte; one that has a stamp is a copy.
    if (known === true || (known === false && stamp !== undefined)) return undefined;
    for (let number = 2; this.#ids.has(id); number += 1) id = `${contentId(message)}-${number}`;
    this.#ids.set(id, stamp !== undefined);
    if (stamp !== undefined && stamp.position > this.#newest) this.#newest = stamp.position;
    return { message, id, position: stamp?.position ?? this.#nextPosition() };
  }

  /** Behind the newest before it in the queue, and behind those that were placed there earlier. */
  #nextPosition(): string {
    this.#placed += 1;
    return `${this.#newest.split("~")[0]}~${positionAt(this.#time, this.#placed)}`;
  }
}
