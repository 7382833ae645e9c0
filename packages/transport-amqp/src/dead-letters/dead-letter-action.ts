import { isPapaError } from "@papa-events/core";
import type { Progress } from "@papa-events/core/transport";
import type { Channels } from "../client/channels.ts";
import { type StampedMessage, stamped, stampOf } from "../wire/dead-letter-stamp.ts";
import { DeadLetterPass, type TakenMessage, type Visited } from "./dead-letter-pass.ts";
import type { DeadLetterRenewal } from "./dead-letter-renewal.ts";
import { sizeOf } from "./letter-window.ts";

/** How much is acted on at once. */
const MAX_PENDING_BYTES = 32 * 1_048_576;
const MAX_PENDING = 1_000;
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
  readonly #pass: DeadLetterPass;
  /** The ids of those that were acted on: if two have one id, a crash left the second. */
  readonly #ids = new Set<string>();
  /** The ids of those that are gone. */
  readonly removed = new Set<string>();
  #before = "0";
  #seen = 0;
  #done = 0;
  #pending = 0;
  #pendingBytes = 0;
  #reported = 0;
  #aborted = false;
  #refused: Error | undefined;
  #failed: Error | undefined;
  #onRoom: () => void = () => {};

  constructor(options: ActionOptions) {
    const { queue, channels, renewal } = options;
    this.#options = options;
    this.#pass = new DeadLetterPass({
      queue,
      channels,
      spare: (channel, first) => renewal.renewWorn(channel, first),
      visit: (taken) => this.#visit(taken),
      room: () => this.#room(0.5),
    });
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
      await this.#room(0);
      await this.#pass.giveBack();
    } catch (error) {
      throw channels.errorOf(error);
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#pass.drop();
    }
    onProgress?.({ seen: this.#seen, done: this.#done });
    const error = this.#failed ?? this.#refused;
    if (error !== undefined) throw error;
    return this.#done;
  }

  #visit(taken: TakenMessage): Visited {
    const { which, progress } = this.#options;
    if (this.#aborted) return "kept";
    const letter = this.#letterOf(taken);
    this.#seen += 1;
    const meant = typeof which === "function" ? which(letter) : which.has(letter.id);
    if (progress.signal?.aborted === true) this.#end(undefined);
    if (!meant || this.#aborted) return this.#tell("kept");
    const isCopy = this.#ids.has(letter.id) && stampOf(taken.message) !== undefined;
    this.#ids.add(letter.id);
    if (typeof which !== "function" && this.#ids.size === which.size) this.#pass.stop();
    void this.#act(taken, letter, isCopy);
    return this.#tell("pending");
  }

  async #act(taken: TakenMessage, letter: StampedMessage, isCopy: boolean): Promise<void> {
    const bytes = sizeOf(letter);
    this.#pending += 1;
    this.#pendingBytes += bytes;
    try {
      if (!isCopy) await this.#options.act(letter);
      this.#pass.remove(taken);
      this.removed.add(letter.id);
      if (!isCopy) this.#done += 1;
    } catch (error) {
      this.#pass.keep(taken);
      if (isPapaError(error) && !error.retryable) this.#refused ??= error;
      else this.#end(error instanceof Error ? error : new Error(String(error)));
    }
    this.#pending -= 1;
    this.#pendingBytes -= bytes;
    this.#tell("kept");
    this.#onRoom();
  }

  #letterOf({ message }: TakenMessage): StampedMessage {
    const letter = stamped(message, this.#before);
    if (stampOf(message) !== undefined) this.#before = letter.position;
    return letter;
  }

  /** Resolves when no more than a part of what may be under way is. */
  async #room(part: number): Promise<void> {
    while (this.#pending > MAX_PENDING * part || this.#pendingBytes > MAX_PENDING_BYTES * part)
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
  }

  /** Goes no further; what is under way is completed. */
  #end(error: Error | undefined): void {
    this.#aborted = true;
    this.#failed ??= error;
    this.#pass.stop();
  }

  #tell(visited: Visited): Visited {
    const now = performance.now();
    if (now - this.#reported >= PROGRESS_INTERVAL_MS) {
      this.#reported = now;
      this.#options.progress.onProgress?.({ seen: this.#seen, done: this.#done });
    }
    return visited;
  }
}
