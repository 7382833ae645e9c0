import {
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterStore,
  type EncodedEvent,
  invalidOption,
  MAX_DEAD_LETTER_PAGE_BYTES,
  type Progress,
  type Revive,
  type Selection,
  type StoredDeadLetter,
} from "@papa-events/core/transport";

/** How many letters are looked at in one turn of the event loop: whoever else runs in this process goes on between. */
const LETTERS_PER_TURN = 100;

interface SequencedDeadLetter extends StoredDeadLetter {
  readonly event: EncodedEvent;
  /** Counts up: what pages are cut by. */
  readonly sequence: number;
}

/** The dead letters of one use case, oldest first. They outlive its queue where it is removed and they are kept. */
export class QueueDeadLetters {
  readonly #useCase: string;
  readonly #deadLetters = new Map<string, SequencedDeadLetter>();
  #sequence = 0;

  constructor(useCase: string) {
    this.#useCase = useCase;
  }

  add(id: string, event: EncodedEvent): void {
    // A letter of this id keeps its old place in the map unless it goes first, and passes end at a sequence.
    this.#deadLetters.delete(id);
    this.#sequence += 1;
    this.#deadLetters.set(id, { id, event, sequence: this.#sequence });
  }

  clear(): void {
    this.#deadLetters.clear();
  }

  get size(): number {
    return this.#deadLetters.size;
  }

  get(id: string): StoredDeadLetter | undefined {
    return this.#deadLetters.get(id);
  }

  list({ limit, after, order }: DeadLetterQuery): DeadLetterPage {
    const from = this.#cursor(after);
    const items: SequencedDeadLetter[] = [];
    let bytes = 0;
    for (const letter of this.#from(order)) {
      if (from !== undefined && (order === "newest" ? letter.sequence >= from : letter.sequence <= from)) continue;
      bytes += bytesOf(letter.event);
      const last = items.at(-1);
      if (last !== undefined && (items.length === limit || bytes > MAX_DEAD_LETTER_PAGE_BYTES))
        return { items, next: String(last.sequence) };
      items.push(letter);
    }
    return { items };
  }

  /** @param assertReadable throws when whoever reads has lost the connection */
  async *scan(
    order: "newest" | "oldest",
    signal: AbortSignal | undefined,
    assertReadable: () => void,
  ): AsyncGenerator<StoredDeadLetter> {
    const newest = this.#sequence;
    let seen = 0;
    for (const letter of this.#from(order)) {
      if (signal?.aborted === true || letter.sequence > newest) return;
      if (this.#deadLetters.get(letter.id) !== letter) continue;
      yield letter;
      seen += 1;
      if (seen % LETTERS_PER_TURN === 0) await turn();
      assertReadable();
    }
  }

  /**
   * Has `act` do something with each letter that is meant, and drops it in the same step. One pass: what is added
   * meanwhile is behind its end.
   *
   * @param assertConnected throws when whoever asked has lost the connection; the rest is then left as it is
   */
  async take(
    which: Selection,
    act: (letter: StoredDeadLetter) => void,
    { onProgress, signal }: Progress,
    assertConnected: () => void,
  ): Promise<number> {
    let seen = 0;
    let done = 0;
    for (const letter of this.#meant(which)) {
      if (signal?.aborted === true) break;
      seen += 1;
      if (typeof which !== "function" || which(letter)) {
        act(letter);
        this.#deadLetters.delete(letter.id);
        done += 1;
      }
      if (seen % LETTERS_PER_TURN > 0) continue;
      onProgress?.({ seen, done });
      await turn();
      assertConnected();
    }
    onProgress?.({ seen, done });
    return done;
  }

  *#meant(which: Selection): Generator<SequencedDeadLetter> {
    if (typeof which !== "function" && which !== "all") {
      for (const id of which) {
        const letter = this.#deadLetters.get(id);
        if (letter !== undefined) yield letter;
      }
      return;
    }
    const newest = this.#sequence;
    for (const letter of this.#deadLetters.values()) {
      if (letter.sequence > newest) return;
      yield letter;
    }
  }

  #from(order: "newest" | "oldest"): Iterable<SequencedDeadLetter> {
    return order === "oldest" ? this.#deadLetters.values() : [...this.#deadLetters.values()].reverse();
  }

  /** Where a page begins: a number, so that it holds when the letter itself has gone. */
  #cursor(after: string | undefined): number | undefined {
    if (after === undefined) return undefined;
    const sequence = Number(after);
    if (Number.isInteger(sequence)) return sequence;
    const problem = `${JSON.stringify(after)} is not a position in the list of "${this.#useCase}"; give the next of the page before`;
    throw invalidOption("list: after", problem);
  }
}

/** What an operator sees of a use case's dead letters, by the store that is its own at the time. */
export interface DeadLetterAccess {
  /** @throws PapaError `unknown-use-case`, `connection-failed` */
  readonly stored: () => QueueDeadLetters;
  readonly putBack: (event: EncodedEvent) => void;
}

/** The dead letters of a use case as one connection reaches them. */
export function deadLetterStore({ stored, putBack }: DeadLetterAccess): DeadLetterStore {
  return {
    count: async () => stored().size,
    list: async (query) => stored().list(query),
    get: async (id) => stored().get(id),
    scan: async function* (order, signal) {
      yield* stored().scan(order, signal, stored);
    },
    redrive: async (which: Selection, revive: Revive, progress: Progress = {}) =>
      stored().take(which, (letter) => putBack(revive(letter)), progress, stored),
    purge: async (which: Selection, progress: Progress = {}) => stored().take(which, () => {}, progress, stored),
  };
}

function bytesOf({ body, headers }: EncodedEvent): number {
  let bytes = body.length;
  for (const [name, value] of Object.entries(headers)) bytes += name.length + String(value).length;
  return bytes;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
