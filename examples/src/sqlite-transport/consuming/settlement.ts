import type { Settlement } from "@papa-events/core/transport";
import type { Sql } from "../client/database.ts";
import type { FanOut } from "../publishing/fan-out.ts";
import { dueIn } from "../waiting/due.ts";
import { COLUMNS, toValues } from "../wire/row.ts";

/** An event that an instance has, or had. */
export interface Owned {
  readonly seq: number;
  readonly owner: string;
  readonly useCase: string;
}

/** Does what a settlement says; gives whether the event was still its owner's to settle. */
export function store(sql: Sql, { seq, owner, useCase }: Owned, settlement: Settlement, fanOut: FanOut): boolean {
  const remove = () => sql.run("DELETE FROM events WHERE seq = ? AND owner = ?", seq, owner) > 0;
  switch (settlement.kind) {
    case "done": {
      const removed = remove();
      if (removed) fanOut.store(sql, settlement.outputs);
      return removed;
    }
    case "dead": {
      const removed = remove();
      const add = `INSERT INTO dead_letters (use_case, letter, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`;
      if (removed) sql.run(add, useCase, settlement.id, ...toValues(settlement.event));
      return removed;
    }
    case "release":
      return sql.run("UPDATE events SET owner = NULL WHERE seq = ? AND owner = ?", seq, owner) > 0;
    case "retry":
    case "forward": {
      const to = settlement.kind === "forward" ? liveDeclaration(sql, useCase, settlement.to) : null;
      const waits = `UPDATE events SET owner = NULL, redeliveries = 0, due = ?, declaration = ?, (${COLUMNS}) = (?, ?, ?, ?, ?)
        WHERE seq = ? AND owner = ?`;
      const due = dueIn(to === null ? settlement.delay : 0);
      return sql.run(waits, due, to, ...toValues(settlement.event), seq, owner) > 0;
    }
  }
}

/** The declaration an event is addressed to, where somebody has it now. */
function liveDeclaration(sql: Sql, useCase: string, declaration: string | undefined): string | null {
  if (declaration === undefined) return null;
  const live = "SELECT 1 FROM subscribers WHERE use_case = ? AND declaration = ?";
  return sql.get(live, useCase, declaration) === undefined ? null : declaration;
}
