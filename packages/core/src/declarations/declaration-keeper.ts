import type { Logger } from "../logging/logger.ts";
import { matcherOf } from "../routing/pattern-trie.ts";
import type { CancelTimer, Clock } from "../transport/clock.ts";
import type { Declaration, DeclarationRecord } from "../transport/declarations.ts";
import type { Connection } from "../transport/transport.ts";
import { SharedRead } from "./shared-read.ts";

/** How many times an instance repeats its declarations within the grace, so that a missed time or two does no harm. */
const REFRESHES_PER_GRACE = 10;
/** After how many missed refreshes an instance is taken for gone. */
const MISSED_REFRESHES = 3;
/** How long what was read serves those that need no look of their own, in milliseconds. */
const RECENT_MS = 1_000;

export interface DeclarationKeeperOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly appName: string;
  readonly declarations: readonly Declaration[];
  /** How long a declaration counts that no live instance has, in milliseconds (R6). */
  readonly grace: number;
  /** Called when a refresh fails, and with `undefined` when one succeeds again. */
  readonly onProblem: (problem: string | undefined) => void;
}

/** Another declaration of a use case, which accepts events that this instance's does not. */
export interface OtherDeclaration {
  readonly id: string | undefined;
  /** Whether an instance that has it lives. */
  readonly live: boolean;
  readonly accepts: (name: string) => boolean;
}

/**
 * Keeps this instance's declarations alive in the broker, and has those withdrawn that nobody has declared for the grace
 * while this instance could (R6).
 */
export class DeclarationKeeper {
  readonly grace: number;
  /** Whether the broker knows every declaration there is. */
  readonly complete: boolean;
  readonly #options: DeclarationKeeperOptions;
  readonly #reads = new Map<string, SharedRead<readonly OtherDeclaration[]>>();
  /** What the last look at each use case has found. */
  readonly #found = new Map<string, { readonly at: number; readonly others: readonly OtherDeclaration[] }>();
  /**
   * Since when they have been refreshed without a long gap. While the broker was away, or this process stood still, others may
   * have had no way to refresh theirs either: they get the whole grace for it.
   */
  #steadySince: number;
  /** When they were last refreshed. */
  #refreshed: number;
  /** Pairs of a use case and another app that have been warned about. */
  readonly #warned = new Set<string>();
  #timer: CancelTimer | undefined;
  /** Whether the last refresh has failed. */
  #failed = false;
  #stopped = false;

  constructor(options: DeclarationKeeperOptions) {
    this.#options = options;
    this.grace = options.grace;
    this.complete = options.connection.capabilities.declarationsComplete;
    this.#steadySince = this.#refreshed = options.clock.elapsed();
  }

  /** Declares, and repeats it from then on. @throws PapaError as `Declarations.declare` */
  async start(): Promise<void> {
    const { connection, declarations } = this.#options;
    await connection.declarations.declare(declarations);
    this.#plan();
    void this.#lookAround(false);
  }

  /** To be called when the connection is back: a refresh that has failed meanwhile is made up for at once. */
  reconnected(): void {
    if (!this.#failed || this.#stopped) return;
    this.#failed = false;
    this.#timer?.();
    void this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.();
  }

  /** Reads which declarations of a use case there are, by a look at the broker that begins after this call. */
  read(useCase: string): Promise<readonly OtherDeclaration[]> {
    let read = this.#reads.get(useCase);
    if (read === undefined) {
      read = new SharedRead(async () => {
        const { connection, clock } = this.#options;
        const at = clock.elapsed();
        const others = (await connection.declarations.list(useCase)).map(({ id, patterns, idle }) => ({
          id,
          live: idle < this.#interval * MISSED_REFRESHES,
          accepts: matcherOf(patterns),
        }));
        this.#found.set(useCase, { at, others });
        return others;
      });
      this.#reads.set(useCase, read);
    }
    return read.get();
  }

  /** Which declarations of a use case there were a moment ago, as far as that was read. */
  recent(useCase: string): readonly OtherDeclaration[] {
    const found = this.#found.get(useCase);
    return found === undefined || this.#options.clock.elapsed() - found.at > RECENT_MS ? [] : found.others;
  }

  get #interval(): number {
    return this.grace / REFRESHES_PER_GRACE;
  }

  #plan(): void {
    if (this.#stopped) return;
    // One plan, also where a reconnect has begun a refresh beside another.
    this.#timer?.();
    this.#timer = this.#options.clock.after(this.#interval, () => void this.#refresh(), true);
  }

  async #refresh(): Promise<void> {
    const { connection, declarations, clock, onProblem, logger } = this.#options;
    let withdraws = false;
    try {
      await connection.declarations.declare(declarations);
      this.#failed = false;
      onProblem(undefined);
      withdraws = this.#steadyFor(clock.elapsed()) >= this.grace;
    } catch (error) {
      this.#failed = true;
      if (!this.#stopped) {
        logger.warn({ err: error }, "The declarations could not be refreshed; it is tried again.");
        onProblem(`the declarations could not be refreshed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    await this.#lookAround(withdraws);
    this.#plan();
  }

  /** Notes a refresh, and gives for how long there has been one after the other. */
  #steadyFor(now: number): number {
    if (now - this.#refreshed > this.grace / 2) this.#steadySince = now;
    this.#refreshed = now;
    return now - this.#steadySince;
  }

  /** Looks at what others declare: warns of other apps, and withdraws what is stale. */
  async #lookAround(withdraws: boolean): Promise<void> {
    const { connection, declarations, logger } = this.#options;
    try {
      const all = await connection.declarations.list();
      for (const declaration of declarations) {
        if (this.#stopped) return;
        const { name } = declaration;
        // A broker that cannot list its namespace is asked for each use case, and only when it matters.
        const records = all?.filter(({ useCase }) => useCase === name);
        if (records !== undefined) this.#warnOfOtherApps(declaration, records);
        if (withdraws) await this.#withdrawStale(declaration, records ?? (await connection.declarations.list(name)));
      }
    } catch (error) {
      if (!this.#stopped)
        logger.warn({ err: error }, "The declarations of others could not be read; it is tried again.");
    }
  }

  async #withdrawStale({ name, patterns }: Declaration, records: readonly DeclarationRecord[]): Promise<void> {
    const { connection, logger } = this.#options;
    // Its own are alive, however long ago a slow broker says that they were declared.
    const alive = new Set(patterns);
    const stale = new Set<string>();
    for (const record of records) {
      for (const pattern of record.patterns) (record.idle < this.grace ? alive : stale).add(pattern);
    }
    const withdrawn = [...stale].filter((pattern) => !alive.has(pattern));
    if (withdrawn.length === 0) return;
    await connection.declarations.withdraw(name, withdrawn, this.grace);
    logger.info({ useCase: name, patterns: withdrawn }, "Patterns that no instance declares any more were withdrawn.");
  }

  /** Two services that share a use case by mistake compete for its events, so that each misses some (R9). */
  #warnOfOtherApps({ name, id, patterns }: Declaration, records: readonly DeclarationRecord[]): void {
    const { appName, logger } = this.#options;
    for (const record of records) {
      const { app, idle } = record;
      if (app === undefined || app === appName || record.id === id || idle >= this.grace) continue;
      const pair = `${name}\n${app}`;
      if (this.#warned.has(pair)) continue;
      this.#warned.add(pair);
      logger.warn(
        { useCase: name, otherApp: app, otherPatterns: record.patterns, patterns },
        `The app "${app}" declares the use case "${name}" too, with other patterns; the two compete for its events. Give one of the use cases another name, unless this is one service that was renamed.`,
      );
    }
  }
}
