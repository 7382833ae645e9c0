import type { EncodedEvent, ReceivedEvent } from "./event.ts";

/** The most that a page of dead letters holds, but for a single letter that is larger. */
export const MAX_DEAD_LETTER_PAGE_BYTES = 16 * 1_048_576;

/** The dead letters of one use case, as stored. Works without an app that runs. */
export interface DeadLetterStore {
  /** @throws PapaError `unknown-use-case` (as all members do) */
  count(): Promise<number>;
  /**
   * One page, in the order in which they were stored. Changes nothing, however often it is called (D3). A page is shorter
   * than its limit, and has a `next`, where it would hold more than {@link MAX_DEAD_LETTER_PAGE_BYTES}.
   */
  list(query: DeadLetterQuery): Promise<DeadLetterPage>;
  /** One by its id, or `undefined`. */
  get(id: string): Promise<StoredDeadLetter | undefined>;
  /**
   * Goes once through all that are there when it begins, in bounded memory, however many there are (D6). Changes nothing.
   * Those that go meanwhile may be left out. Ends quietly when the reader returns or the signal is aborted.
   */
  scan(order: "newest" | "oldest", signal?: AbortSignal): AsyncIterable<StoredDeadLetter>;
  /**
   * Puts letters back to their use case only (D4) as what `revive` makes of them, and resolves to how many.
   * A crash midway may duplicate, never lose; called again it does the rest. Ids that are gone count 0.
   */
  redrive(which: Selection, revive: Revive, progress?: Progress): Promise<number>;
  /** Destroys letters for good, and resolves to how many. Ids that are gone count 0. */
  purge(which: Selection, progress?: Progress): Promise<number>;
}

/**
 * Which dead letters are meant: those of some ids, all, or those that a test picks. Of the latter two only those that were
 * there when the call began, so that it ends although letters that are redriven fail again. Bounded in memory.
 */
export type Selection = "all" | readonly string[] | ((letter: StoredDeadLetter) => boolean);

/** How a long call tells how far it is, and is ended. */
export interface Progress {
  /** Called now and then, at least once a second and at the end. */
  readonly onProgress?: ((progress: { readonly seen: number; readonly done: number }) => void) | undefined;
  /** When it is aborted, what is under way is completed, and the call resolves to how many were done. */
  readonly signal?: AbortSignal | undefined;
}

/** Makes of a dead letter the event it was, attempt 1, same id. Quick, and may be called again for the same letter. */
export type Revive = (letter: StoredDeadLetter) => EncodedEvent;

export interface DeadLetterQuery {
  readonly limit: number;
  /** Where the previous page ended, as its `next` said. */
  readonly after?: string | undefined;
  readonly order: "newest" | "oldest";
}

export interface DeadLetterPage {
  readonly items: readonly StoredDeadLetter[];
  /** Where the next page begins; absent at the end. It stays good when the letters around it are gone. */
  readonly next?: string;
}

/** A dead letter as stored. */
export interface StoredDeadLetter {
  /** The transport's own, unique within the use case, the same at each listing. */
  readonly id: string;
  readonly event: ReceivedEvent;
}
