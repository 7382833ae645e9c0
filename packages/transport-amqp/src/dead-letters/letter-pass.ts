import type { Channels } from "../client/channels.ts";
import { type StampedMessage, stampOf } from "../wire/dead-letter-stamp.ts";
import { DeadLetterPass, type TakenMessage, type Visited } from "./dead-letter-pass.ts";
import { type DeadLetterRenewal, returnsOf } from "./dead-letter-renewal.ts";
import { LetterStamper } from "./letter-stamper.ts";
import { sizeOf } from "./letter-window.ts";
import { Pending } from "./pending.ts";
import { ReturnLimit } from "./return-limit.ts";

export interface LetterPassOptions {
  readonly queue: string;
  readonly channels: Channels;
  readonly renewal: DeadLetterRenewal;
  /** Whether those without a stamp get one: not where what an earlier pass showed had none, which is to be gone on with. */
  readonly stamps: boolean;
  /**
   * Called for each dead letter once, in the queue's order. If it acts on it, the letter is removed when that is done, and
   * stays where that fails. Its message must be copied to be kept.
   */
  readonly onLetter: (letter: StampedMessage) => Promise<void> | undefined;
}

type TakenLetter = StampedMessage & TakenMessage;

/**
 * Goes once through the dead letters of a queue. Those without a stamp are replaced by copies that have one, so that what is
 * shown has an id and a position that last; and those that were returned often, before the broker destroys them.
 */
export class LetterPass {
  readonly #options: LetterPassOptions;
  readonly #pass: DeadLetterPass;
  readonly #pending = new Pending();
  readonly #limit = new ReturnLimit();
  #stamper = new LetterStamper(false);
  /** Whether copies can be stored, and whether stamps are. */
  #copies = false;
  #stamps = false;
  /** Those that find out whether the broker takes one more return. */
  #scouts: TakenLetter[] = [];
  /** What may be met again: scouts, and copies that this pass has stored. */
  readonly #again = new Map<string, "scout" | "copy">();
  #unplaced: unknown;

  constructor(options: LetterPassOptions) {
    this.#options = options;
    this.#pass = new DeadLetterPass({
      queue: options.queue,
      channels: options.channels,
      visit: (taken, isLate) => this.#visit(taken, isLate),
      onFull: (isLast) => this.#testReturns(isLast),
      room: () => this.#pending.room(0.5),
    });
  }

  /** How many dead letters it holds. */
  get held(): number {
    return this.#pass.held;
  }

  /** How many it has met, each once. */
  get count(): number {
    return this.#stamper.count;
  }

  /** Why one that has no stamp got none, if the broker took none any more: the next pass will place it anew. */
  get unplaced(): unknown {
    return this.#unplaced;
  }

  /** Resolves when all were met, or it was stopped, and nothing is under way any more. @throws what the broker refuses */
  async take(): Promise<void> {
    this.#copies = await this.#options.renewal.isPossible();
    this.#stamps = this.#copies && this.#options.stamps;
    this.#stamper = new LetterStamper(this.#stamps);
    await this.#pass.take();
    await this.#pending.room(0);
  }

  /** Goes no further; what is under way is completed. */
  stop(): void {
    this.#pass.stop();
  }

  /** Gives back all that is still held. */
  giveBack(): Promise<void> {
    return this.#pass.giveBack();
  }

  /** Lets go of everything at once. */
  drop(): void {
    this.#pass.drop();
  }

  #visit(taken: TakenMessage, isLate: boolean): Visited {
    const { message } = taken;
    const stamp = stampOf(message);
    if (stamp !== undefined && this.#again.has(stamp.id)) return this.#meetAgain({ ...taken, ...stamp });
    if (isLate) return stamp === undefined ? "kept" : this.#keep(taken, { message, ...stamp }, true);
    const letter = this.#stamper.stamp(message);
    if (letter === undefined) {
      this.#pass.remove(taken);
      return "pending";
    }
    const acting = this.#options.onLetter(letter);
    if (acting !== undefined) return this.#replace(taken, letter, acting);
    if (stamp !== undefined) return this.#keep(taken, letter, false);
    return this.#copies && this.#stamps ? this.#replace(taken, letter, this.#copy(letter)) : "kept";
  }

  /** Keeps it to the end, unless the broker might destroy it when it is returned then. */
  #keep(taken: TakenMessage, letter: StampedMessage, isLate: boolean): Visited {
    if (!this.#copies) return "kept";
    const verdict = this.#limit.verdict(letter.id, returnsOf(letter.message), this.#scouts.length);
    if (verdict === "return") return "kept";
    if (verdict === "renew" || isLate) return this.#replace(taken, letter, this.#copy(letter));
    this.#scouts.push({ ...taken, ...letter });
    return "kept";
  }

  #meetAgain(letter: TakenLetter): Visited {
    this.#pass.countAgain();
    // A copy that has come this far already.
    if (returnsOf(letter.message) === 0) return "kept";
    const isCopied = this.#again.get(letter.id) === "copy";
    return this.#replace(letter, letter, isCopied ? Promise.resolve() : this.#copy(letter));
  }

  /** Removes one when what takes its place is stored. */
  #replace(taken: TakenMessage, letter: StampedMessage, stored: Promise<void>): Visited {
    void this.#pending.during(sizeOf(letter), async () => {
      try {
        await stored;
        this.#pass.remove(taken);
      } catch {
        this.#pass.keep(taken);
      }
    });
    return "pending";
  }

  async #copy(letter: StampedMessage): Promise<void> {
    const { renewal } = this.#options;
    const before = this.#again.get(letter.id);
    this.#again.set(letter.id, "copy");
    try {
      await renewal.copy(letter);
    } catch (error) {
      if (before === "scout") this.#again.set(letter.id, before);
      // Of an account that may only read, or of a broker that takes nothing, no more is asked.
      if (!renewal.isAlone(error, letter.id)) this.#copies = false;
      if (!this.#copies && stampOf(letter.message) === undefined) this.#unplaced ??= error;
      throw error;
    }
  }

  /**
   * Returns some before the others, to see whether the broker still has them then. A policy may set a limit below the default,
   * which AMQP does not show.
   */
  async #testReturns(isLast: boolean): Promise<void> {
    const scouts = this.#scouts;
    this.#scouts = [];
    if (scouts.length > 0 && this.#copies) {
      if (isLast || this.#limit.isReached)
        for (const letter of scouts) this.#replace(letter, letter, this.#copy(letter));
      else await this.#send(scouts);
    }
    if (this.#limit.isUrgent) this.#pass.beCareful();
  }

  async #send(scouts: readonly TakenLetter[]): Promise<void> {
    const returns = Math.max(...scouts.map(({ message }) => returnsOf(message)));
    for (const { id } of scouts) this.#again.set(id, "scout");
    // Copies that come meanwhile would be counted for scouts.
    await this.#pending.room(0);
    const left = await this.#pass.returnEarly(scouts);
    if (left === undefined) {
      for (const letter of scouts) this.#replace(letter, letter, this.#copy(letter));
      return;
    }
    this.#limit.tested(returns, left >= scouts.length);
    if (left >= scouts.length) return;
    await Promise.allSettled(scouts.map((letter) => this.#copy(letter)));
    this.#options.renewal.warnOfLimit(returns);
  }
}
