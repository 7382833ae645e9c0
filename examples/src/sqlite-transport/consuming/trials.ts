import type { Trials } from "@papa-events/core/transport";
import type { Database } from "../client/database.ts";

/** Records of events that vanished are forgotten after so long. */
const MAX_AGE_MS = 30 * 24 * 3_600_000;

/** The trials that have begun and were not taken back (T6). */
export class SqliteTrials implements Trials {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  begin(useCase: string, eventId: string, trial: string): Promise<number> {
    return this.#database.write((sql) => {
      const now = Date.now();
      sql.run("DELETE FROM trials WHERE begun < ?", now - MAX_AGE_MS);
      const left = "SELECT count(*) AS count FROM trials WHERE use_case = ? AND event = ?";
      const earlier = sql.get(left, useCase, eventId);
      sql.run("INSERT INTO trials VALUES (?, ?, ?, ?)", useCase, eventId, trial, now);
      return Number(earlier?.count);
    });
  }

  end(useCase: string, eventId: string, trial?: string): Promise<void> {
    return this.#database.write((sql) => {
      const remove = "DELETE FROM trials WHERE use_case = ? AND event = ? AND trial = coalesce(?, trial)";
      sql.run(remove, useCase, eventId, trial ?? null);
    });
  }
}
