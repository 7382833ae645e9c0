import { isPapaError } from "@papa-events/core";
import {
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterStore,
  invalidOption,
  MAX_DEAD_LETTER_PAGE_BYTES,
  type Progress,
  type Revive,
  type Selection,
  type StoredDeadLetter,
} from "@papa-events/core/transport";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import type { PlacedDeadLetter } from "../dead-letters/reader.ts";
import { mergePages, mergeSorted } from "./merge.ts";
import { ofThoseThatKnow } from "./of-those-that-know.ts";
import type { ShardConnection } from "./shard.ts";

/**
 * The dead letters of one use case on all shards, in the order of the servers' clocks. Where a page ends is a position for each
 * shard, with points between them.
 */
export class ShardedDeadLetters implements DeadLetterStore {
  readonly #useCase: string;
  readonly #parts: readonly DeadLetters[];

  constructor(useCase: string, shards: readonly ShardConnection[]) {
    this.#useCase = useCase;
    this.#parts = shards.map((shard) => shard.deadLetters(useCase, MAX_DEAD_LETTER_PAGE_BYTES / shards.length));
  }

  async count(): Promise<number> {
    const counts = await ofThoseThatKnow(this.#parts.map((part) => part.count()));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async list({ limit, after, order }: DeadLetterQuery): Promise<DeadLetterPage> {
    const positions = this.#positions(after);
    await this.count();
    const pages = await Promise.all(
      this.#parts.map((part, index) =>
        part
          .list({ limit, order, after: positions[index] === "" ? undefined : positions[index] })
          .catch(emptyIfUnknown),
      ),
    );
    const { items, taken, more } = mergePages(pages, order, limit);
    if (!more) return { items };
    return { items, next: positions.map((position, index) => taken[index] ?? position).join(".") };
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    const found = await ofThoseThatKnow(this.#parts.map((part) => part.get(id)));
    return found.find((letter) => letter !== undefined);
  }

  async *scan(order: "newest" | "oldest", signal?: AbortSignal): AsyncGenerator<StoredDeadLetter, void, void> {
    await this.count();
    const all = this.#parts.map((part) => nothingIfUnknown(part.scan(order, signal)));
    for await (const letter of mergeSorted(all, order)) {
      if (signal?.aborted === true) return;
      yield letter;
    }
  }

  redrive(which: Selection, revive: Revive, progress?: Progress): Promise<number> {
    return this.#onEach((part, own) => part.redrive(which, revive, own), progress);
  }

  purge(which: Selection, progress?: Progress): Promise<number> {
    return this.#onEach((part, own) => part.purge(which, own), progress);
  }

  /** One shard after the other. How many it has seen and done is told of all together. */
  async #onEach(
    act: (part: DeadLetters, progress: Progress) => Promise<number>,
    { onProgress, signal }: Progress = {},
  ): Promise<number> {
    await this.count();
    const sum = { seen: 0, done: 0 };
    for (const part of this.#parts) {
      let own = { seen: 0, done: 0 };
      const progress = {
        signal,
        onProgress: (told: typeof own) => {
          own = told;
          onProgress?.({ seen: sum.seen + own.seen, done: sum.done + own.done });
        },
      };
      const done = await act(part, progress).catch((error: unknown) => {
        emptyIfUnknown(error);
        return 0;
      });
      sum.seen += own.seen;
      sum.done += done;
    }
    return sum.done;
  }

  /** @throws PapaError `invalid-option` */
  #positions(after: string | undefined): readonly string[] {
    const positions = after?.split(".") ?? this.#parts.map(() => "");
    if (positions.length === this.#parts.length && positions.every((position) => /^\d{0,16}$/.test(position)))
      return positions;
    const problem = `${JSON.stringify(after)} is not a position in the list of "${this.#useCase}"; give the next of the page before`;
    throw invalidOption("list: after", problem);
  }
}

/** Somebody may have deleted what one shard has of the use case. */
function emptyIfUnknown(error: unknown): { readonly items: readonly PlacedDeadLetter[] } {
  if (isPapaError(error, "unknown-use-case")) return { items: [] };
  throw error;
}

async function* nothingIfUnknown(
  letters: AsyncGenerator<PlacedDeadLetter, void, void>,
): AsyncGenerator<PlacedDeadLetter, void, void> {
  try {
    yield* letters;
  } catch (error) {
    emptyIfUnknown(error);
  }
}
