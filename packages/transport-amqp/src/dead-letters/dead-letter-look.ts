import type { Message } from "amqplib";
import type { Channels } from "../client/channels.ts";
import { contentId, type StampedMessage, stamped, stampOf } from "../wire/dead-letter-stamp.ts";
import { DeadLetterPass, type TakenMessage } from "./dead-letter-pass.ts";
import { type DeadLetterRenewal, isWorn, type TakenLetter } from "./dead-letter-renewal.ts";
import { sizeOf } from "./letter-window.ts";

/** How many bytes are held of what is to be renewed; the rest is renewed by later looks. */
const MAX_RENEWED_BYTES = 32 * 1_048_576;

export interface LookOptions {
  readonly queue: string;
  readonly channels: Channels;
  readonly renewal: DeadLetterRenewal;
  /** Called for each dead letter once; resolves the look when it returns `true`. Its message must be copied to be kept. */
  readonly onLetter: (letter: StampedMessage) => boolean;
}

/** Looks at the dead letters of one queue, and leaves them as they are. */
export class DeadLetterLook {
  readonly #options: LookOptions;
  readonly #pass: DeadLetterPass;
  /** The ids found so far, and whether each came with a stamp. */
  readonly #ids = new Map<string, boolean>();
  readonly #renewed: TakenLetter[] = [];
  /** Copies that a crash has left behind. */
  readonly #duplicates: TakenMessage[] = [];
  #renewedBytes = 0;
  #stopped = false;
  #before = "0";

  constructor(options: LookOptions) {
    this.#options = options;
    const { queue, channels, renewal } = options;
    this.#pass = new DeadLetterPass({
      queue,
      channels,
      spare: (channel, first) => renewal.renewWorn(channel, first),
      visit: (taken) => this.#visit(taken),
    });
  }

  /** How many dead letters it holds. */
  get held(): number {
    return this.#pass.held;
  }

  /** How many have to be replaced by copies before all is given back. */
  get due(): number {
    return this.#renewed.length;
  }

  /** How many it has seen, each once. */
  get count(): number {
    return this.#ids.size;
  }

  /** Whether it has seen all there were. */
  get isComplete(): boolean {
    return !this.#stopped;
  }

  async take(): Promise<void> {
    await this.#pass.take();
  }

  /** Gives back all that was taken. */
  async finish(): Promise<void> {
    for (const duplicate of this.#duplicates) this.#pass.remove(duplicate);
    await this.#options.renewal.renew(this.#renewed, (taken) => this.#pass.remove(taken));
    await this.#pass.giveBack();
  }

  /** Lets go of everything at once. */
  drop(): void {
    this.#pass.drop();
  }

  #visit(taken: TakenMessage): "kept" {
    const { message } = taken;
    const stamp = stampOf(message);
    let { id, position } = stamped(message, this.#before);
    const known = this.#ids.get(id);
    if (known !== undefined) {
      // Two of the original's may be equal in every byte; one that has a stamp is a copy.
      if (known || stamp !== undefined) {
        this.#duplicates.push(taken);
        return "kept";
      }
      for (let number = 2; this.#ids.has(id); number += 1) id = `${contentId(message)}-${number}`;
    }
    this.#ids.set(id, stamp !== undefined);
    const letter = { message, id, position };
    if (stamp !== undefined) this.#before = position;
    if (stamp === undefined || isWorn(message, id)) this.#keepForRenewal({ ...taken, ...letter });
    if (this.#options.onLetter(letter)) {
      this.#stopped = true;
      this.#pass.stop();
    }
    return "kept";
  }

  #keepForRenewal(letter: TakenLetter): void {
    this.#renewedBytes += sizeOf(letter);
    if (this.#renewedBytes <= MAX_RENEWED_BYTES) this.#renewed.push({ ...letter, message: copyOf(letter.message) });
  }
}

/** amqplib hands out views of everything that it read at once. */
function copyOf(message: Message): Message {
  return { ...message, content: Buffer.from(message.content) };
}
