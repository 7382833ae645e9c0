import {
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterStore,
  type EncodedEvent,
  invalidOption,
  type Revive,
  type StoredDeadLetter,
} from "@papa-events/core/transport";

interface SequencedDeadLetter extends StoredDeadLetter {
  /** Counts up: what pages are cut by. */
  readonly sequence: number;
}

/** The dead letters of one queue, oldest first. */
export class QueueDeadLetters implements DeadLetterStore {
  readonly #useCase: string;
  readonly #putBack: (event: EncodedEvent) => void;
  readonly #deadLetters = new Map<string, SequencedDeadLetter>();
  #sequence = 0;

  constructor(useCase: string, putBack: (event: EncodedEvent) => void) {
    this.#useCase = useCase;
    this.#putBack = putBack;
  }

  add(id: string, event: EncodedEvent): void {
    this.#sequence += 1;
    this.#deadLetters.set(id, { id, event, sequence: this.#sequence });
  }

  get size(): number {
    return this.#deadLetters.size;
  }

  async count(): Promise<number> {
    return this.#deadLetters.size;
  }

  async list({ limit, after, order }: DeadLetterQuery): Promise<DeadLetterPage> {
    const from = this.#cursor(after);
    const deadLetters = [...this.#deadLetters.values()];
    if (order === "newest") deadLetters.reverse();
    const rest = deadLetters.filter(
      ({ sequence }) => from === undefined || (order === "newest" ? sequence < from : sequence > from),
    );
    const items = rest.slice(0, limit);
    const last = items.at(-1);
    return rest.length > limit && last !== undefined ? { items, next: String(last.sequence) } : { items };
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    return this.#deadLetters.get(id);
  }

  async redrive(ids: readonly string[] | "all", revive: Revive): Promise<number> {
    return this.#take(ids, (letter) => this.#putBack(revive(letter)));
  }

  async purge(ids: readonly string[] | "all"): Promise<number> {
    return this.#take(ids, () => {});
  }

  #take(ids: readonly string[] | "all", act: (letter: SequencedDeadLetter) => void): number {
    let taken = 0;
    for (const id of ids === "all" ? [...this.#deadLetters.keys()] : ids) {
      const letter = this.#deadLetters.get(id);
      if (letter === undefined) continue;
      act(letter);
      this.#deadLetters.delete(id);
      taken += 1;
    }
    return taken;
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
