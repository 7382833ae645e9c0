import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import type { RedisDeclarations } from "./declarations.ts";

/** Two looks and what they make again take less than the five seconds in which it has to be noticed. */
const INTERVAL_MS = 2_000;

/** Looks regularly whether what this app declares is still on the server, and has it made again (L8). */
export class DeclarationWatch {
  readonly #declarations: RedisDeclarations;
  readonly #control: ReconnectingConnection;
  readonly #onProblem: (problem: string | undefined) => void;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #closed = false;

  /** @param onProblem called with what keeps it from being made again, and with `undefined` when that is over */
  constructor(
    declarations: RedisDeclarations,
    control: ReconnectingConnection,
    onProblem: (problem: string | undefined) => void,
  ) {
    this.#declarations = declarations;
    this.#control = control;
    this.#onProblem = onProblem;
  }

  start(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setInterval(() => void this.#look(), INTERVAL_MS).unref();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  /** A lost connection is reported elsewhere, and a new one declares everything again. */
  async #look(): Promise<void> {
    // A server that stands still may leave one without an answer for as long as a lease.
    if (this.#looking || !this.#control.up) return;
    this.#looking = true;
    try {
      await this.#declarations.restoreMissing();
      this.#onProblem(undefined);
    } catch (error) {
      if (this.#closed || !this.#control.up) return;
      const { message } = error as Error;
      this.#onProblem(`what is declared cannot be checked or made again: ${message}`);
    } finally {
      this.#looking = false;
    }
  }
}
