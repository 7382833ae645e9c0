import type { SQLOutputValue } from "node:sqlite";
import { MAX_DEAD_LETTER_PAGE_BYTES, type StoredDeadLetter } from "@papa-events/core/transport";
import type { Sql } from "../client/database.ts";
import { toEvent } from "../wire/row.ts";

/** A dead letter with its position, by which pages are cut: numbers that are never used twice. */
export interface Letter extends StoredDeadLetter {
  readonly seq: number;
}

export interface Page {
  readonly letters: readonly Letter[];
  /** Where the next one begins; absent at the end. */
  readonly next: number | undefined;
}

/** The last position of all. */
export function newest(sql: Sql, useCase: string): number {
  return Number(sql.get("SELECT max(seq) AS seq FROM dead_letters WHERE use_case = ?", useCase)?.seq ?? 0);
}

/** Some letters behind a position: so many, and no more bytes than one page may have. */
export function pageOf(
  sql: Sql,
  useCase: string,
  order: "newest" | "oldest",
  limit: number,
  after = order === "oldest" ? 0 : Number.MAX_SAFE_INTEGER,
): Page {
  const [compare, direction] = order === "oldest" ? [">", "ASC"] : ["<", "DESC"];
  const found = sql.all(
    `SELECT seq, sum(length(body) + length(headers)) OVER (ORDER BY seq ${direction}) AS bytes
     FROM dead_letters WHERE use_case = ? AND seq ${compare} ? ORDER BY seq ${direction} LIMIT ?`,
    useCase,
    after,
    limit + 1,
  );
  const cut = found.findIndex(
    ({ bytes }, index) => index > 0 && (index === limit || Number(bytes) > MAX_DEAD_LETTER_PAGE_BYTES),
  );
  const page = cut === -1 ? found : found.slice(0, cut);
  const rows = page.map(({ seq }) => sql.get("SELECT * FROM dead_letters WHERE seq = ?", Number(seq)));
  const letters = rows.filter((row) => row !== undefined).map(letterOf);
  return { letters, next: cut === -1 ? undefined : letters.at(-1)?.seq };
}

/** Some of the letters of these ids, from the index of one on. Those that are gone are left out. */
export function withIds(sql: Sql, useCase: string, ids: readonly string[], from: number, limit: number): Page {
  const find = "SELECT * FROM dead_letters WHERE use_case = ? AND letter = ?";
  const rows = [...new Set(ids.slice(from, from + limit))].map((id) => sql.get(find, useCase, id));
  const letters = rows.filter((row) => row !== undefined).map(letterOf);
  return { letters, next: from + limit < ids.length ? from + limit : undefined };
}

export function letterOf(row: Record<string, SQLOutputValue>): Letter {
  return { id: String(row.letter), event: toEvent(row), seq: Number(row.seq) };
}
