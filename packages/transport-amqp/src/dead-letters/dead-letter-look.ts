import type { Channels } from "../client/channels.ts";
import type { StampedMessage } from "../wire/dead-letter-stamp.ts";
import type { DeadLetterRenewal } from "./dead-letter-renewal.ts";
import { LetterPass } from "./letter-pass.ts";

export interface LookOptions {
  readonly queue: string;
  readonly channels: Channels;
  readonly renewal: DeadLetterRenewal;
  /** Whether those without a stamp get one. */
  readonly stamps: boolean;
  /** Called for each dead letter once; ends the look when it returns `true`. Its message must be copied to be kept. */
  readonly onLetter: (letter: StampedMessage) => boolean;
}

/** Looks at the dead letters of one queue, and leaves them as they are. */
export class DeadLetterLook {
  readonly #pass: LetterPass;
  #stopped = false;

  constructor({ queue, channels, renewal, stamps, onLetter }: LookOptions) {
    this.#pass = new LetterPass({
      queue,
      channels,
      renewal,
      stamps,
      onLetter: (letter) => {
        if (!onLetter(letter)) return undefined;
        this.#stopped = true;
        this.#pass.stop();
        return undefined;
      },
    });
  }

  /** How many dead letters it holds. */
  get held(): number {
    return this.#pass.held;
  }

  /** How many it has seen, each once. */
  get count(): number {
    return this.#pass.count;
  }

  /** Whether it has seen all there were. */
  get isComplete(): boolean {
    return !this.#stopped;
  }

  /** Resolves when what it has seen has a place that lasts, as far as the account may give it one. @throws what the broker refuses */
  async take(): Promise<void> {
    await this.#pass.take();
    if (this.#pass.unplaced === undefined) return;
    await this.#pass.giveBack();
    throw this.#pass.unplaced;
  }

  /** Gives back all that was taken. */
  finish(): Promise<void> {
    return this.#pass.giveBack();
  }

  /** Lets go of everything at once. */
  drop(): void {
    this.#pass.drop();
  }
}
