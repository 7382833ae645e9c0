import type { EncodedEvent, ReceivedEvent } from "./event.ts";

/** The dead letters of one use case, as stored. Works without an app that runs. */
export interface DeadLetterStore {
  /** @throws PapaError `unknown-use-case` (as all members do) */
  count(): Promise<number>;
  /** One page, in the order in which they were stored. Changes nothing, however often it is called (D3). */
  list(query: DeadLetterQuery): Promise<DeadLetterPage>;
  /** One by its id, or `undefined`. */
  get(id: string): Promise<StoredDeadLetter | undefined>;
  /**
   * Puts letters back to their use case only (D4) as what `revive` makes of them, and resolves to how many.
   * A crash midway may duplicate, never lose. Ids that are gone count 0.
   */
  redrive(ids: readonly string[] | "all", revive: Revive): Promise<number>;
  /** Destroys letters for good, and resolves to how many. Ids that are gone count 0. */
  purge(ids: readonly string[] | "all"): Promise<number>;
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
