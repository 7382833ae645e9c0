import type { Database } from "../client/database.ts";
import type { FanOut } from "../publishing/fan-out.ts";
import type { Lease } from "./lease.ts";
import { freeUnreachable, type Subscriber } from "./subscriber.ts";

/** One connection among those that share the file: renews its lease, and looks for events. */
export class Instance {
  readonly #database: Database;
  readonly #lease: Lease;
  readonly #fanOut: FanOut;
  readonly #poll: number;
  #subscribers: readonly Subscriber[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(database: Database, lease: Lease, fanOut: FanOut, poll: number) {
    this.#database = database;
    this.#lease = lease;
    this.#fanOut = fanOut;
    this.#poll = poll;
  }

  async start(): Promise<void> {
    await this.#database.write((sql) => this.#lease.begin(sql));
    this.#plan();
  }

  async add(subscriber: Subscriber): Promise<void> {
    await this.#database.write((sql) => subscriber.register(sql));
    // One that was stopped, as for a pause, stays until it has settled what it had.
    this.#subscribers = [...this.#subscribers.filter(({ isOver }) => !isOver), subscriber];
  }

  /** Takes nothing more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const subscriber of this.#subscribers) subscriber.close();
  }

  #plan(): void {
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#look(), this.#poll);
  }

  async #look(): Promise<void> {
    try {
      if (this.#lease.isDue) await this.#renew();
      const inbox = await this.#database.read((sql) => sql.get("SELECT 1 FROM inbox LIMIT 1"));
      if (inbox !== undefined) await this.#database.write((sql) => this.#fanOut.takeIn(sql));
      await Promise.all(this.#subscribers.map((subscriber) => subscriber.fetch()));
    } catch {
      // The file is away, which the database has reported; it is tried again at the next poll.
    }
    this.#plan();
  }

  async #renew(): Promise<void> {
    const kept = await this.#database.write((sql) => {
      if (this.#lease.takeOver(sql)) freeUnreachable(sql);
      return this.#lease.renew(sql);
    });
    if (!kept) await this.#beginAnew();
    this.#lease.renewed();
  }

  /** Others have taken this instance for dead: what it had is theirs. */
  async #beginAnew(): Promise<void> {
    this.#lease.beginAnew();
    for (const subscriber of this.#subscribers) subscriber.lose();
    await this.#database.write((sql) => {
      this.#lease.begin(sql);
      for (const subscriber of this.#subscribers) subscriber.register(sql);
    });
  }
}
