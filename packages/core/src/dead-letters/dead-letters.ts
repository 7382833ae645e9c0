import { consoleLogger } from "../logging/logger.ts";
import { assertUseCaseName } from "../routing/use-case-name.ts";
import { LazyConnection } from "../transport/lazy-connection.ts";
import type { Transport } from "../transport/transport.ts";
import type { DeadLetterFilter } from "./filter.ts";
import type { DeadLetterItem } from "./item.ts";
import { StoredDeadLetters } from "./stored-dead-letters.ts";

/** How {@link DeadLetters.list} lists. */
export interface ListOptions {
  /** The most items of a page, 1 to 1,000; 50 unless set. A page of large letters is shorter, and has a `next`. */
  readonly limit?: number | undefined;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  /** By when they became dead letters; `"newest"` unless set. */
  readonly order?: "newest" | "oldest" | undefined;
}

/** A page of dead letters. */
export interface DeadLetterList {
  readonly items: readonly DeadLetterItem[];
  /** Where the next page begins; absent at the end. */
  readonly next?: string;
}

/** What {@link DeadLetters.search} looks for, and how it goes about it. */
export interface SearchOptions extends DeadLetterFilter {
  /** By when they became dead letters; `"newest"` unless set. */
  readonly order?: "newest" | "oldest" | undefined;
  /** Ends the search when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Which dead letters are meant: those of some ids, those that a filter finds, or all. */
export type DeadLetterSelection = "all" | readonly string[] | { readonly where: DeadLetterFilter };

/** How a call that may take long tells how far it is, and is ended. */
export interface ProgressOptions {
  /** Called at least once a second, and at the end. */
  readonly onProgress?: ((progress: DeadLetterProgress) => void) | undefined;
  /** When it is aborted, the call completes what is under way and resolves to how many it has done. */
  readonly signal?: AbortSignal | undefined;
}

/** How far a long call is. */
export interface DeadLetterProgress {
  /** How many dead letters it has looked at. */
  readonly seen: number;
  /** How many of them it has redriven or purged. */
  readonly done: number;
}

/** How {@link DeadLetters.redrive} sends events back. */
export interface RedriveOptions extends ProgressOptions {
  /**
   * What they go back with in place of their own payload, or a function that makes it of each dead letter; one that gives
   * `undefined` leaves the payload as it is. The event's header `papa_mended` says when (D4).
   */
  readonly payload?: ((item: DeadLetterItem) => unknown) | NonNullable<unknown> | null | undefined;
}

/** The dead letters of one use case (D2). Every call may reject with `unknown-use-case` or `connection-failed`. */
export interface DeadLetters {
  /** How many there are now. */
  count(): Promise<number>;
  /** One page. Changes nothing, however often it is called (D3). @throws PapaError `invalid-option` */
  list(options?: ListOptions): Promise<DeadLetterList>;
  /** One by its id, or `undefined`. */
  get(id: string): Promise<DeadLetterItem | undefined>;
  /**
   * Goes through all that are there when it begins and gives those that the filter finds (D6), in bounded memory. Changes
   * nothing.
   *
   * @throws PapaError `invalid-option`, `invalid-pattern` (at the call)
   * @example for await (const item of letters.search({ event: "user.*", text: "ECONNREFUSED" })) console.log(item.id);
   */
  search(options?: SearchOptions): AsyncIterableIterator<DeadLetterItem>;
  /**
   * Puts events back to this use case only, attempt 1, same event id (D4); how many. Ids that are gone count 0. Called again
   * after a failure it does the rest.
   *
   * @throws PapaError `invalid-option`, `invalid-pattern`, `payload-not-json`, `payload-too-large`
   * @example await letters.redrive({ where: { reason: "retries-exhausted" } }, { onProgress: ({ done }) => bar(done) });
   */
  redrive(which: DeadLetterSelection, options?: RedriveOptions): Promise<number>;
  /** Destroys dead letters for good; how many. Ids that are gone count 0. @throws PapaError `invalid-option`, `invalid-pattern` */
  purge(which: DeadLetterSelection, options?: ProgressOptions): Promise<number>;
  /** Ends the connection that was made for this; of an app's dead letters it ends nothing. */
  close(): Promise<void>;
}

/**
 * The dead letters of a use case, with no app running. Connects at the first call, until `close()`.
 *
 * @throws PapaError `invalid-use-case`
 * @example
 * await using letters = deadLetters(amqp(uri), "send_welcome");
 * await letters.redrive("all");
 */
export function deadLetters(transport: Transport, useCase: string): DeadLetters & AsyncDisposable {
  assertUseCaseName(useCase);
  const connection = new LazyConnection(transport, "papa-events dead letters", consoleLogger);
  const close = () => connection.close();
  const letters = new StoredDeadLetters(useCase, async () => (await connection.get()).deadLetters(useCase), { close });
  return Object.assign(letters, { [Symbol.asyncDispose]: close });
}
