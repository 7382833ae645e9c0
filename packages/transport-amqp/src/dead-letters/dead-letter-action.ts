import { isPapaError } from "@papa-events/core";
import type { Progress } from "@papa-events/core/transport";
import type { Channels } from "../client/channels.ts";
import type { StampedMessage } from "../wire/dead-letter-stamp.ts";
import type { DeadLetterRenewal } from "./dead-letter-renewal.ts";
import { LetterPass } from "./letter-pass.ts";

/** How often it is told how far it is. */
const PROGRESS_INTERVAL_MS = 500;

export interface ActionOptions {
  readonly queue: string;
  readonly channels: Channels;
  readonly renewal: DeadLetterRenewal;
  /** Those of some ids, or those that a test picks. */
  readonly which: ReadonlySet<string> | ((letter: StampedMessage) => boolean);
  readonly act: (letter: StampedMessage) => Promise<void>;
  readonly progress: Progress;
}

/** Goes once through the dead letters of a queue, acts on those that are meant and removes them. */
export class DeadLetterAction {
  readonly #options: ActionOptions;
  readonly #pass: LetterPass;
  /** The ids of those that are gone. */
  readonly removed = new Set<string>();
  #met = 0;
  #seen = 0;
  #reported = 0;
  #aborted = false;
  #refused: Error | undefined;
  #failed: Error | undefined;

  constructor(options: ActionOptions) {
    const { queue, channels, renewal } = options;
    this.#options = options;
    this.#pass = new LetterPass({ queue, channels, renewal, stamps: true, onLetter: (letter) => this.#visit(letter) });
  }

  /** How many dead letters it holds. */
  get held(): number {
    return this.#pass.held;
  }

  /** Resolves to how many were acted on and removed. @throws PapaError */
  async run(): Promise<number> {
    const { channels, progress } = this.#options;
    const { signal, onProgress } = progress;
    const abort = () => this.#end(undefined);
    signal?.addEventListener("abort", abort);
    try {
      if (signal?.aborted !== true) await this.#pass.take();
      await this.#pass.giveBack();
    } catch (error) {
      throw channels.errorOf(error);
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#pass.drop();
    }
    onProgress?.({ seen: this.#seen, done: this.removed.size });
    const error = this.#failed ?? this.#refused;
    if (error !== undefined) throw error;
    return this.removed.size;
  }

  #visit(letter: StampedMessage): Promise<void> | undefined {
    const { which, progress } = this.#options;
    if (this.#aborted) return undefined;
    this.#seen += 1;
    this.#tell();
    const meant = typeof which === "function" ? which(letter) : which.has(letter.id);
    if (progress.signal?.aborted === true) this.#end(undefined);
    if (!meant || this.#aborted) return undefined;
    this.#met += 1;
    if (typeof which !== "function" && this.#met === which.size) this.#pass.stop();
    return this.#act(letter);
  }

  async #act(letter: StampedMessage): Promise<void> {
    try {
      await this.#options.act(letter);
    } catch (error) {
      if (isPapaError(error) && !error.retryable) this.#refused ??= error;
      else this.#end(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
    this.removed.add(letter.id);
    this.#tell();
  }

  /** Goes no further; what is under way is completed. */
  #end(error: Error | undefined): void {
    this.#aborted = true;
    this.#failed ??= error;
    this.#pass.stop();
  }

  #tell(): void {
    const now = performance.now();
    if (now - this.#reported < PROGRESS_INTERVAL_MS) return;
    this.#reported = now;
    this.#options.progress.onProgress?.({ seen: this.#seen, done: this.removed.size });
  }
}
