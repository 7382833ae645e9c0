import { PapaError } from "@papa-events/core";
import type { Declaration, DeclarationRecord, Declarations } from "@papa-events/core/transport";
import type { Database, Sql } from "../client/database.ts";

/** What is declared: a row for each pattern. */
export class SqliteDeclarations implements Declarations {
  readonly #database: Database;
  readonly #app: string;

  constructor(database: Database, app: string) {
    this.#database = database;
    this.#app = app;
  }

  declare(declarations: readonly Declaration[]): Promise<void> {
    return this.#database.write((sql) => {
      const now = Date.now();
      const add = "INSERT OR IGNORE INTO declarations VALUES (?, ?, ?, ?, ?)";
      let added = 0;
      for (const { name, id, patterns } of declarations) {
        sql.run("INSERT OR IGNORE INTO use_cases VALUES (?)", name);
        sql.run("UPDATE declarations SET seen = ? WHERE use_case = ? AND app = ? AND id = ?", now, name, this.#app, id);
        for (const pattern of patterns) added += sql.run(add, name, this.#app, id, pattern, now);
      }
      if (added > 0) bindingsChanged(sql);
    });
  }

  list(useCase: string): Promise<readonly DeclarationRecord[]>;
  list(useCase?: undefined): Promise<readonly DeclarationRecord[]>;
  list(useCase?: string): Promise<readonly DeclarationRecord[]> {
    return this.#database.read((sql) => {
      const rows = sql.all(
        `SELECT use_case, app, id, max(seen) AS seen, json_group_array(pattern) AS patterns FROM declarations
         WHERE use_case = coalesce(?, use_case) GROUP BY use_case, app, id`,
        useCase ?? null,
      );
      return rows.map(({ use_case, app, id, seen, patterns }) => ({
        useCase: String(use_case),
        app: String(app),
        id: String(id),
        patterns: JSON.parse(String(patterns)) as string[],
        idle: Date.now() - Number(seen),
      }));
    });
  }

  /** A pattern that somebody else has declared lately has a row of its own, and stays. */
  withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    return this.#database.write((sql) => {
      const remove = "DELETE FROM declarations WHERE use_case = ? AND pattern = ? AND seen <= ?";
      for (const pattern of patterns) sql.run(remove, useCase, pattern, Date.now() - idle);
      bindingsChanged(sql);
    });
  }
}

/** Says to all publishers, in the same transaction, that what they know of the patterns is out of date. */
function bindingsChanged(sql: Sql): void {
  sql.run("UPDATE bindings SET version = hex(randomblob(16))");
}

/** Is another whenever a pattern has been bound or unbound. */
export function bindingsVersion(sql: Sql): string {
  return String(sql.get("SELECT version FROM bindings")?.version);
}

/** @throws PapaError `unknown-use-case` */
export function assertDeclared(sql: Sql, useCase: string): void {
  if (sql.get("SELECT 1 FROM use_cases WHERE name = ?", useCase) !== undefined) return;
  throw new PapaError("unknown-use-case", `No app has declared a use case "${useCase}" in this file.`, { useCase });
}
