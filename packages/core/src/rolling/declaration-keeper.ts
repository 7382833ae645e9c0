import type { Logger } from "../logger.ts";
import { matcherOf } from "../routing/pattern-trie.ts";
import type { CancelTimer, Clock } from "../transport/clock.ts";
import type { Connection, UseCaseDeclaration } from "../transport/transport.ts";

/** How many times an instance shows its declarations within the grace, so that a missed time or two does no harm. */
const SHOWN_PER_GRACE = 10;

export interface DeclarationKeeperOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly useCases: readonly UseCaseDeclaration[];
  /** How long a declaration counts that no live instance shows, in milliseconds (R6). */
  readonly grace: number;
}

/**
 * Keeps this instance's declarations alive in the broker, and has those withdrawn that nobody has shown for the grace
 * while this instance lived (R6).
 */
export class DeclarationKeeper {
  readonly grace: number;
  /** Whether the broker knows every declaration there is. */
  readonly complete: boolean;
  readonly #options: DeclarationKeeperOptions;
  readonly #reads = new Map<string, SharedRead<(name: string) => boolean>>();
  readonly #aliveSince: number;
  #timer: CancelTimer | undefined;
  #stopped = false;

  constructor(options: DeclarationKeeperOptions) {
    this.#options = options;
    this.grace = options.grace;
    this.complete = options.connection.capabilities.declarationsComplete;
    this.#aliveSince = options.clock.elapsed();
  }

  /** Declares, and goes on showing it. @throws PapaError as `Connection.declare` */
  async start(): Promise<void> {
    await this.#options.connection.declare(this.#options.useCases);
    this.#plan();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.();
  }

  /** Whether any declaration of a use case wants a name, by a look at the broker that begins after this call. */
  async isWanted(useCase: string, name: string): Promise<boolean> {
    let read = this.#reads.get(useCase);
    if (read === undefined) {
      read = new SharedRead(async () =>
        matcherOf((await this.#options.connection.declarations(useCase)).map(({ pattern }) => pattern)),
      );
      this.#reads.set(useCase, read);
    }
    return (await read.get())(name);
  }

  #plan(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(this.grace / SHOWN_PER_GRACE, () => void this.#refresh(), true);
  }

  async #refresh(): Promise<void> {
    const { connection, useCases, logger, clock } = this.#options;
    try {
      await connection.declare(useCases);
      if (clock.elapsed() - this.#aliveSince >= this.grace) await this.#withdrawUnshown();
    } catch (error) {
      if (!this.#stopped) logger.warn({ error }, "The declarations could not be refreshed; it is tried again.");
    }
    this.#plan();
  }

  async #withdrawUnshown(): Promise<void> {
    const { connection, useCases, logger } = this.#options;
    for (const { name, patterns } of useCases) {
      if (this.#stopped) return;
      const declared = await connection.declarations(name);
      const unshown = declared
        // Its own are alive, however long ago a slow broker says that they were shown.
        .filter(({ pattern, idle }) => idle >= this.grace && !patterns.includes(pattern))
        .map(({ pattern }) => pattern);
      if (unshown.length === 0) continue;
      await connection.withdraw(name, unshown, this.grace);
      logger.info({ useCase: name, patterns: unshown }, "Patterns that no instance declares any more were withdrawn.");
    }
  }
}

/** Lets callers share a read as far as it begins after their call: one is under way, one more is planned. */
class SharedRead<T> {
  readonly #read: () => Promise<T>;
  #current: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  get(): Promise<T> {
    if (this.#current === undefined) return this.#begin();
    this.#next ??= this.#current.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  #begin(): Promise<T> {
    this.#next = undefined;
    const read = this.#read().finally(() => {
      if (this.#current === read) this.#current = undefined;
    });
    this.#current = read;
    return read;
  }
}
