import {
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterStore,
  invalidOption,
  type Progress,
  type Revive,
  type Selection,
  type StoredDeadLetter,
} from "@papa-events/core/transport";
import type { Database, Sql } from "../client/database.ts";
import { assertDeclared } from "../declarations/declarations.ts";
import { addTo } from "../publishing/fan-out.ts";
import { toValues } from "../wire/row.ts";
import { type Letter, letterOf, newest, pageOf, withIds } from "./pages.ts";

/** How many are looked at in one transaction, which nothing else can be written in. */
const BATCH = 100;

/** The dead letters of one use case. */
export class SqliteDeadLetters implements DeadLetterStore {
  readonly #database: Database;
  readonly #useCase: string;

  constructor(database: Database, useCase: string) {
    this.#database = database;
    this.#useCase = useCase;
  }

  count(): Promise<number> {
    return this.#read((sql) =>
      Number(sql.get("SELECT count(*) AS count FROM dead_letters WHERE use_case = ?", this.#useCase)?.count),
    );
  }

  list({ limit, after, order }: DeadLetterQuery): Promise<DeadLetterPage> {
    return this.#read((sql) => {
      const from = after === undefined ? undefined : Number(after);
      if (from !== undefined && !Number.isInteger(from))
        throw invalidOption("list: after", "it is not the next of a page before");
      const { letters, next } = pageOf(sql, this.#useCase, order, limit, from);
      return next === undefined ? { items: letters } : { items: letters, next: String(next) };
    });
  }

  get(id: string): Promise<StoredDeadLetter | undefined> {
    return this.#read((sql) => {
      const row = sql.get("SELECT * FROM dead_letters WHERE use_case = ? AND letter = ?", this.#useCase, id);
      return row && letterOf(row);
    });
  }

  async *scan(order: "newest" | "oldest", signal?: AbortSignal): AsyncGenerator<StoredDeadLetter> {
    const last = await this.#read((sql) => newest(sql, this.#useCase));
    let from: number | undefined = order === "newest" ? last + 1 : 0;
    while (from !== undefined) {
      const position: number = from;
      const page = await this.#read((sql) => pageOf(sql, this.#useCase, order, BATCH, position));
      for (const letter of page.letters) {
        if (signal?.aborted === true || letter.seq > last) return;
        yield letter;
      }
      from = page.next;
    }
  }

  redrive(which: Selection, revive: Revive, progress: Progress = {}): Promise<number> {
    return this.#take(which, progress, (sql, letter) => addTo(sql, this.#useCase, toValues(revive(letter))));
  }

  purge(which: Selection, progress: Progress = {}): Promise<number> {
    return this.#take(which, progress, () => {});
  }

  /** Removes letters, some in each transaction, with what is done with them. Those that die meanwhile are not taken. */
  async #take(which: Selection, progress: Progress, act: (sql: Sql, letter: Letter) => void): Promise<number> {
    const last = await this.#read((sql) => newest(sql, this.#useCase));
    const isMeant = typeof which === "function" ? which : () => true;
    const ids = typeof which === "function" || which === "all" ? undefined : which;
    const count = { seen: 0, done: 0 };
    for (let from: number | undefined = 0; from !== undefined && progress.signal?.aborted !== true; ) {
      const position: number = from;
      const batch = await this.#database.write((sql) => {
        assertDeclared(sql, this.#useCase);
        const { letters, next } =
          ids === undefined
            ? pageOf(sql, this.#useCase, "oldest", BATCH, position)
            : withIds(sql, this.#useCase, ids, position, BATCH);
        const done = { seen: 0, done: 0 };
        for (const letter of letters) {
          if (letter.seq > last || progress.signal?.aborted === true) break;
          done.seen += 1;
          if (!isMeant(letter)) continue;
          act(sql, letter);
          done.done += sql.run("DELETE FROM dead_letters WHERE seq = ?", letter.seq);
        }
        return { ...done, next };
      });
      count.seen += batch.seen;
      count.done += batch.done;
      from = batch.next;
      progress.onProgress?.({ ...count });
    }
    return count.done;
  }

  #read<T>(work: (sql: Sql) => T): Promise<T> {
    return this.#database.read((sql) => {
      assertDeclared(sql, this.#useCase);
      return work(sql);
    });
  }
}
