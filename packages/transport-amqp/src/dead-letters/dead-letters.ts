import { PapaError } from "@papa-events/core";
import type {
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterStore,
  EncodedEvent,
  Revive,
  StoredDeadLetter,
} from "@papa-events/core/transport";
import { unknownUseCase } from "../client/errors.ts";
import type { Locks } from "../client/locks.ts";
import type { Topology } from "../declarations/topology.ts";
import { type Identified, isNameless, storedLetter } from "../wire/dead-letter-message.ts";
import { deadQueue } from "../wire/names.ts";
import type { Origin } from "../wire/received-message.ts";
import type { LetterQueue } from "./dead-letter-queue.ts";
import type { HeldLetter } from "./dead-letter-scan.ts";

export interface LettersOptions {
  readonly useCase: string;
  readonly origin: Omit<Origin, "fallbackName">;
  readonly letters: LetterQueue;
  readonly topology: Topology;
  readonly locks: Locks;
  /** The name of an event that is in no header of its letter. */
  readonly fallbackName: () => Promise<string>;
  /** Does what may be done twice, again if a connection is lost under it. */
  readonly steadily: <T>(action: () => Promise<T>) => Promise<T>;
  /** Puts an event into the use case's queue, confirmed. */
  readonly putBack: (event: EncodedEvent) => Promise<void>;
}

/** The dead letters of one use case; see {@link LetterQueue} for how they are read. */
export class Letters implements DeadLetterStore {
  readonly #options: LettersOptions;

  constructor(options: LettersOptions) {
    this.#options = options;
  }

  async count(): Promise<number> {
    // Locked: what another program reads just now is not counted.
    return this.#look((size) => Promise.resolve(size));
  }

  async list({ limit, after, order }: DeadLetterQuery): Promise<DeadLetterPage> {
    const cursor = after === undefined ? undefined : this.#cursor(after);
    return this.#look(async () => {
      const page = await this.#options.letters.read({ first: order }, async ({ letters, messages }) => {
        const ordered = order === "newest" ? letters.toReversed() : letters;
        const rest = cursor === undefined ? ordered : ordered.slice(placeAfter(ordered, cursor, order));
        return { chosen: rest.slice(0, limit), more: rest.length > limit, messages };
      });
      const { chosen, more } = page;
      const missing = chosen.filter(({ id }) => !page.messages.has(id)).map(({ id }) => id);
      // Only where the letters are more than memory shall hold.
      const others = missing.length === 0 ? undefined : await this.#messages(new Set(missing));
      const items = await this.#stored(chosen.flatMap(({ id }) => page.messages.get(id) ?? others?.get(id) ?? []));
      const last = chosen.at(-1);
      return more && last !== undefined ? { items, next: `${last.order} ${last.id}` } : { items };
    });
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    return this.#look(async () => (await this.#stored([...(await this.#messages(new Set([id]))).values()]))[0]);
  }

  async redrive(ids: readonly string[] | "all", revive: Revive): Promise<number> {
    return this.#locked(async () => {
      const { letters } = this.#options;
      const putBack = async (letter: Identified) => {
        const [stored] = await this.#stored([letter]);
        if (stored !== undefined) await this.#options.putBack(revive(stored));
      };
      if (ids === "all") return letters.drain(putBack);
      return this.#remove(ids, putBack);
    });
  }

  async purge(ids: readonly string[] | "all"): Promise<number> {
    return this.#locked(async () => {
      if (ids === "all") return this.#options.letters.purge();
      return this.#remove(ids, async () => {});
    });
  }

  /** Acts on letters, and removes each after that: a crash in between repeats, it loses nothing. */
  #remove(ids: readonly string[], act: (letter: Identified) => Promise<void>): Promise<number> {
    return this.#options.letters.read({ ids: new Set(ids) }, async ({ letters, messages, remove }) => {
      let removed = 0;
      for (const letter of letters) {
        const identified = messages.get(letter.id);
        if (identified === undefined) continue;
        await act(identified);
        remove(letter);
        removed += 1;
      }
      return removed;
    });
  }

  #messages(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, Identified>> {
    return this.#options.letters.read({ ids }, async ({ messages }) => messages);
  }

  async #stored(letters: readonly Identified[]): Promise<StoredDeadLetter[]> {
    const { origin, fallbackName } = this.#options;
    const nameless = letters.some(({ message }) => isNameless(message, origin.queue));
    const name = nameless ? await fallbackName() : "";
    return letters.map((letter) => storedLetter(letter, { ...origin, fallbackName: name }));
  }

  #look<T>(action: (size: number) => Promise<T>): Promise<T> {
    return this.#options.steadily(() => this.#locked(action));
  }

  /** @throws PapaError `unknown-use-case` */
  #locked<T>(action: (size: number) => Promise<T>): Promise<T> {
    const { useCase, origin, topology, locks } = this.#options;
    const queue = deadQueue(origin.queue);
    return locks.hold(queue, async () => {
      const size = await topology.size(queue);
      if (size === undefined) throw unknownUseCase(useCase);
      return action(size);
    });
  }

  #cursor(after: string): Pick<HeldLetter, "order" | "id"> {
    const [order = "", id = ""] = after.split(" ");
    if (/^[\d~-]+$/.test(order) && id !== "") return { order, id };
    const problem = `${JSON.stringify(after)} is no place in the list of "${this.#options.useCase}"; give the next of the page before`;
    throw new PapaError("invalid-option", `list: after: ${problem}.`, { option: "list: after", problem });
  }
}

/** Where a page begins behind `cursor`, also when the letter there has gone. */
function placeAfter(
  letters: readonly HeldLetter[],
  cursor: Pick<HeldLetter, "order" | "id">,
  order: "newest" | "oldest",
): number {
  const at = letters.findIndex(({ id }) => id === cursor.id);
  if (at !== -1) return at + 1;
  const next = letters.findIndex((letter) =>
    order === "newest" ? letter.order < cursor.order : letter.order > cursor.order,
  );
  return next === -1 ? letters.length : next;
}
