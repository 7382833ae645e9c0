import type { OnDelivery, Settled, Settlement, SubscribeOptions, Subscription } from "@papa-events/core/transport";
import type { Database, Sql } from "../client/database.ts";
import type { FanOut } from "../publishing/fan-out.ts";
import { present, READY } from "../waiting/due.ts";
import { toEvent } from "../wire/row.ts";
import { SqliteDelivery } from "./delivery.ts";
import type { HeldBytes } from "./held-bytes.ts";
import type { Lease } from "./lease.ts";
import { store } from "./settlement.ts";

/** What the subscribers of a connection share. */
export interface Shared {
  readonly database: Database;
  readonly lease: Lease;
  readonly fanOut: FanOut;
  readonly held: HeldBytes;
}

/** One connection's consumption of one use case. */
export class Subscriber implements Subscription {
  readonly useCase: string;
  readonly #declaration: string;
  readonly #shared: Shared;
  readonly #onDelivery: OnDelivery;
  readonly #unsettled = new Set<SqliteDelivery>();
  #readAhead: number;
  #open = true;
  #fetching: Promise<void> | undefined;

  constructor(useCase: string, options: SubscribeOptions, shared: Shared, onDelivery: OnDelivery) {
    this.useCase = useCase;
    this.#declaration = options.declaration;
    this.#readAhead = options.readAhead;
    this.#shared = shared;
    this.#onDelivery = onDelivery;
  }

  /** Tells the file that this instance takes what is addressed to its declaration. */
  register(sql: Sql): void {
    if (!this.#open) return;
    const add = "INSERT OR IGNORE INTO subscribers VALUES (?, ?, ?)";
    sql.run(add, this.#shared.lease.id, this.useCase, this.#declaration);
  }

  readAhead(limit: number): void {
    this.#readAhead = limit;
  }

  /** Whether it takes nothing more and has nothing left to settle. */
  get isOver(): boolean {
    return !this.#open && this.#unsettled.size === 0;
  }

  /** Takes nothing more. */
  close(): void {
    this.#open = false;
  }

  async stop(): Promise<void> {
    this.close();
    await this.#fetching;
    const { database, lease } = this.#shared;
    const unregister = (sql: Sql) => {
      sql.run("DELETE FROM subscribers WHERE instance = ? AND use_case = ?", lease.id, this.useCase);
      freeUnreachable(sql);
    };
    // Where the file is away, the end of the lease does it.
    await database.write(unregister).catch(() => {});
  }

  /** Hands out what is ready, as much as there is room for. Never rejects. */
  fetch(): Promise<void> {
    this.#fetching ??= this.#fetchShare().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  has(delivery: SqliteDelivery): boolean {
    return this.#unsettled.has(delivery) && !this.#shared.database.closed;
  }

  async settle(delivery: SqliteDelivery, settlement: Settlement): Promise<Settled> {
    const { database, fanOut } = this.#shared;
    const refusable = settlement.kind === "done" ? settlement.outputs.length > 0 : settlement.kind !== "release";
    while (this.has(delivery)) {
      try {
        const stored = await database.write((sql) => store(sql, delivery, settlement, fanOut));
        this.#free(delivery);
        void this.fetch();
        return stored ? "stored" : "lost";
      } catch (error) {
        // A lost connection ends no claim: it is waited for. What stores nothing cannot be refused.
        if (refusable && database.connected) throw error;
        await database.usable();
      }
    }
    return "lost";
  }

  /** Loses what it has: the lease has ended. */
  lose(): void {
    for (const delivery of this.#unsettled) this.#free(delivery);
  }

  async #fetchShare(): Promise<void> {
    const { database, held } = this.#shared;
    try {
      if (!this.#open || this.#room <= 0 || !(await database.read((sql) => this.#isReady(sql)))) return;
      const taken = await database.write((sql) => this.#take(sql));
      for (const delivery of taken) {
        this.#unsettled.add(delivery);
        held.take(delivery.event.body.length);
      }
      for (const delivery of taken) this.#onDelivery(delivery);
    } catch {
      // The file is away; it is tried again at the next poll.
    }
  }

  get #room(): number {
    return this.#readAhead - this.#unsettled.size;
  }

  #isReady(sql: Sql): boolean {
    return sql.get(`SELECT 1 FROM events WHERE ${READY} LIMIT 1`, this.useCase, present()) !== undefined;
  }

  /** Takes its share of what is ready, so that whoever polls first leaves something to the others (R8). */
  #take(sql: Sql): SqliteDelivery[] {
    const { lease, held } = this.#shared;
    // What is taken without a lease would be nobody's for ever.
    if (!this.#open || !lease.isHeld(sql)) return [];
    const all = sql.get("SELECT count(*) AS count FROM subscribers WHERE use_case = ?", this.useCase);
    const subscribers = Math.max(1, Number(all?.count));
    const ready = sql.all(
      `SELECT seq, length(body) AS size FROM events
       WHERE ${READY} AND (declaration IS NULL OR declaration = ?) ORDER BY due, seq LIMIT ?`,
      this.useCase,
      present(),
      this.#declaration,
      this.#room * subscribers,
    );
    const share = ready.slice(0, Math.ceil(ready.length / subscribers));
    const taken: SqliteDelivery[] = [];
    let bytes = 0;
    for (const { seq, size } of share) {
      bytes += Number(size);
      if (!held.hasRoomFor(bytes, taken.length)) break;
      const take = "UPDATE events SET owner = ?, declaration = NULL WHERE seq = ? RETURNING *";
      const row = sql.get(take, lease.id, Number(seq));
      if (row === undefined) continue;
      taken.push(new SqliteDelivery(toEvent(row), Number(seq), lease.id, Number(row.redeliveries), this));
    }
    return taken;
  }

  #free(delivery: SqliteDelivery): void {
    if (this.#unsettled.delete(delivery)) this.#shared.held.giveBack(delivery.event.body.length);
  }
}

/** Leaves events to anybody that are addressed to a declaration which no subscriber has any more. */
export function freeUnreachable(sql: Sql): void {
  sql.run(
    `UPDATE events SET declaration = NULL WHERE declaration IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM subscribers WHERE use_case = events.use_case AND declaration = events.declaration)`,
  );
}
