import type { SQLInputValue } from "node:sqlite";
import { type EncodedEvent, PatternTrie } from "@papa-events/core/transport";
import type { Sql } from "../client/database.ts";
import { bindingsVersion } from "../declarations/declarations.ts";
import { present } from "../waiting/due.ts";
import { COLUMNS, toValues } from "../wire/row.ts";

/** Puts events where they are wanted: a row for each use case. */
export class FanOut {
  #version = "";
  #routes = new PatternTrie<string>();

  /** Stores events. The patterns are those of this very transaction. */
  store(sql: Sql, events: readonly EncodedEvent[]): void {
    this.#refresh(sql);
    for (const event of events) {
      const useCases = this.#routes.match(event.name);
      const values = useCases.length === 0 ? [] : toValues(event);
      for (const useCase of useCases) addTo(sql, useCase, values);
    }
  }

  /** Takes in what other programs have published. */
  takeIn(sql: Sql): void {
    this.#refresh(sql);
    const copy = `INSERT INTO events (use_case, due, ${COLUMNS})
      SELECT ?, ?, name, id, time, headers, CAST(body AS BLOB) FROM inbox WHERE seq = ?`;
    for (const { seq, name } of sql.all("SELECT seq, name FROM inbox ORDER BY seq LIMIT 100")) {
      for (const useCase of this.#routes.match(String(name))) sql.run(copy, useCase, present(), Number(seq));
      sql.run("DELETE FROM inbox WHERE seq = ?", Number(seq));
    }
  }

  #refresh(sql: Sql): void {
    const version = bindingsVersion(sql);
    if (version === this.#version) return;
    this.#routes = new PatternTrie();
    for (const { use_case, pattern } of sql.all("SELECT DISTINCT use_case, pattern FROM declarations"))
      this.#routes.add(String(pattern), String(use_case));
    this.#version = version;
  }
}

/** Puts an event at the end of one use case's queue. */
export function addTo(sql: Sql, useCase: string, values: readonly SQLInputValue[]): void {
  sql.run(`INSERT INTO events (use_case, due, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`, useCase, present(), ...values);
}
