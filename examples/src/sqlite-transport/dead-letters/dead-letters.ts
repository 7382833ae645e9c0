import {
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterStore,
  invalidOption,
  type Revive,
  type StoredDeadLetter,
} from "@papa-events/core/transport";
import type { Database, Sql } from "../client/database.ts";
import { assertDeclared } from "../declarations/declarations.ts";
import { addTo } from "../publishing/fan-out.ts";
import { toEvent, toValues } from "../wire/row.ts";

/** How many are redriven in one transaction, which nothing else can be written in. */
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
      const [compare, direction, first] = order === "oldest" ? [">", "ASC", 0] : ["<", "DESC", Number.MAX_SAFE_INTEGER];
      const from = after === undefined ? first : Number(after);
      if (!Number.isInteger(from)) throw invalidOption("list: after", "it is not the next of a page before");
      const rows = sql.all(
        `SELECT * FROM dead_letters WHERE use_case = ? AND seq ${compare} ? ORDER BY seq ${direction} LIMIT ?`,
        this.#useCase,
        from,
        limit + 1,
      );
      const page = rows.slice(0, limit);
      const items = page.map((row) => ({ id: String(row.letter), event: toEvent(row) }));
      return rows.length > limit ? { items, next: String(page.at(-1)?.seq) } : { items };
    });
  }

  get(id: string): Promise<StoredDeadLetter | undefined> {
    return this.#read((sql) => {
      const row = sql.get("SELECT * FROM dead_letters WHERE use_case = ? AND letter = ?", this.#useCase, id);
      return row && { id, event: toEvent(row) };
    });
  }

  redrive(ids: readonly string[] | "all", revive: Revive): Promise<number> {
    return this.#take(ids, (sql, letter) => addTo(sql, this.#useCase, toValues(revive(letter))));
  }

  purge(ids: readonly string[] | "all"): Promise<number> {
    return this.#take(ids, () => {});
  }

  /** Removes letters, some in each transaction, with what is done with them. Those that die meanwhile are not taken. */
  async #take(ids: readonly string[] | "all", act: (sql: Sql, letter: StoredDeadLetter) => void): Promise<number> {
    const wanted = ids === "all" ? await this.#read((sql) => this.#allIds(sql)) : [...ids];
    let taken = 0;
    do {
      const batch = wanted.splice(0, BATCH);
      taken += await this.#database.write((sql) => {
        assertDeclared(sql, this.#useCase);
        const remove = "DELETE FROM dead_letters WHERE use_case = ? AND letter = ? RETURNING *";
        const rows = batch.map((id) => sql.get(remove, this.#useCase, id)).filter((row) => row !== undefined);
        for (const row of rows) act(sql, { id: String(row.letter), event: toEvent(row) });
        return rows.length;
      });
    } while (wanted.length > 0);
    return taken;
  }

  #allIds(sql: Sql): string[] {
    return sql
      .all("SELECT letter FROM dead_letters WHERE use_case = ? ORDER BY seq", this.#useCase)
      .map(({ letter }) => String(letter));
  }

  #read<T>(work: (sql: Sql) => T): Promise<T> {
    return this.#database.read((sql) => {
      assertDeclared(sql, this.#useCase);
      return work(sql);
    });
  }
}
