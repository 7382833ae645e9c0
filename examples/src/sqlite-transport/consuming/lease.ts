import { randomUUID } from "node:crypto";
import { systemClock } from "@papa-events/core/transport";
import type { Sql } from "../client/database.ts";

/** How many times the lease is renewed before it would end. */
const BEATS_PER_LEASE = 4;

interface Seen {
  readonly beat: number;
  readonly since: number;
}

/**
 * This instance's claim to what it has taken, and its look at the others. Each counts up a number in the file. One whose
 * number stays as it was for the length of its lease has died; no two clocks are compared.
 */
export class Lease {
  /** Names what is taken under this lease; another after each end, so that a late settlement finds nothing. */
  id: string = randomUUID();
  readonly #length: number;
  readonly #others = new Map<string, Seen>();
  #renewed = Number.NEGATIVE_INFINITY;
  #looked = Number.NEGATIVE_INFINITY;

  constructor(length: number) {
    this.#length = length;
  }

  get isDue(): boolean {
    return systemClock.elapsed() - this.#renewed >= this.#length / BEATS_PER_LEASE;
  }

  begin(sql: Sql): void {
    sql.run("INSERT OR IGNORE INTO instances VALUES (?, 0, ?)", this.id, this.#length);
  }

  /** Gives whether the lease is still this instance's. */
  renew(sql: Sql): boolean {
    return sql.run("UPDATE instances SET beat = beat + 1 WHERE id = ?", this.id) > 0;
  }

  /** To be called when {@link renew} has been committed. */
  renewed(): void {
    this.#renewed = systemClock.elapsed();
  }

  /** Has another id from now on. */
  beginAnew(): void {
    this.id = randomUUID();
  }

  end(sql: Sql): void {
    sql.run("UPDATE events SET owner = NULL WHERE owner = ?", this.id);
    sql.run("DELETE FROM instances WHERE id = ?", this.id);
  }

  isHeld(sql: Sql): boolean {
    return sql.get("SELECT 1 FROM instances WHERE id = ?", this.id) !== undefined;
  }

  /** Finds instances that have died, and gives back what they had (T6); gives whether there were any. */
  takeOver(sql: Sql): boolean {
    const now = systemClock.elapsed();
    // Whoever has slept knows nothing about the others: they may have slept too.
    if (now - this.#looked > this.#length / 2) this.#others.clear();
    this.#looked = now;
    const gone = new Set(this.#others.keys());
    let found = false;
    for (const { id, beat, lease } of sql.all("SELECT id, beat, lease FROM instances WHERE id <> ?", this.id)) {
      const other = String(id);
      const seen = this.#others.get(other);
      gone.delete(other);
      if (seen === undefined || seen.beat !== beat) this.#others.set(other, { beat: Number(beat), since: now });
      else if (now - seen.since >= Number(lease)) {
        bury(sql, other);
        found = true;
      }
    }
    for (const id of gone) this.#others.delete(id);
    return found;
  }
}

function bury(sql: Sql, id: string): void {
  sql.run("UPDATE events SET owner = NULL, redeliveries = redeliveries + 1 WHERE owner = ?", id);
  sql.run("DELETE FROM instances WHERE id = ?", id);
}
