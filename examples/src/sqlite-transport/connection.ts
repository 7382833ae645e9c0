import type {
  Connection,
  ConnectOptions,
  DeadLetterStore,
  EncodedEvent,
  OnDelivery,
  QueueStats,
  SubscribeOptions,
  Subscription,
  Unconfirmed,
} from "@papa-events/core/transport";
import { capabilities } from "./capabilities.ts";
import { Database } from "./client/database.ts";
import type { Target } from "./client/options.ts";
import { HeldBytes } from "./consuming/held-bytes.ts";
import { Instance } from "./consuming/instance.ts";
import { Lease } from "./consuming/lease.ts";
import { Subscriber } from "./consuming/subscriber.ts";
import { SqliteTrials } from "./consuming/trials.ts";
import { SqliteDeadLetters } from "./dead-letters/dead-letters.ts";
import { assertDeclared, SqliteDeclarations } from "./declarations/declarations.ts";
import { FanOut } from "./publishing/fan-out.ts";
import { publish } from "./publishing/publisher.ts";
import { present } from "./waiting/due.ts";

/** One app's way to the file. */
export class SqliteConnection implements Connection {
  readonly capabilities = capabilities;
  readonly declarations: SqliteDeclarations;
  readonly trials: SqliteTrials;
  readonly #database: Database;
  readonly #fanOut = new FanOut();
  readonly #lease: Lease;
  readonly #held: HeldBytes;
  readonly #instance: Instance;
  /** Whether it is an operator's: no instance, and without need of a right to write. */
  readonly #looks: boolean;

  static async open(target: Target, options: ConnectOptions): Promise<SqliteConnection> {
    const connection = new SqliteConnection(target, options);
    try {
      if (!connection.#looks) await connection.#instance.start();
      return connection;
    } catch (error) {
      connection.sever();
      throw error;
    }
  }

  private constructor({ file, lease, poll, lockTimeout }: Target, options: ConnectOptions) {
    this.#looks = options.operator === true;
    this.#database = new Database(file, lockTimeout, options);
    this.#lease = new Lease(lease);
    this.#held = new HeldBytes(options.maxHeldBytes);
    this.#instance = new Instance(this.#database, this.#lease, this.#fanOut, poll);
    this.declarations = new SqliteDeclarations(this.#database, options.appName);
    this.trials = new SqliteTrials(this.#database);
  }

  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    return publish(this.#database, this.#fanOut, events);
  }

  async subscribe(useCase: string, options: SubscribeOptions, onDelivery: OnDelivery): Promise<Subscription> {
    const shared = { database: this.#database, lease: this.#lease, fanOut: this.#fanOut, held: this.#held };
    const subscriber = new Subscriber(useCase, options, shared, onDelivery);
    await this.#instance.add(subscriber);
    return subscriber;
  }

  deadLetters(useCase: string): DeadLetterStore {
    return new SqliteDeadLetters(this.#database, useCase);
  }

  inspect(useCase: string): Promise<QueueStats> {
    return this.#database.read((sql) => {
      assertDeclared(sql, useCase);
      const counts = sql.get(
        `SELECT count(*) FILTER (WHERE owner IS NULL AND due <= ?2) AS ready, count(owner) AS inFlight,
           count(*) FILTER (WHERE owner IS NULL AND due > ?2) AS waiting,
           (SELECT count(*) FROM dead_letters WHERE use_case = ?1) AS dead
         FROM events WHERE use_case = ?1`,
        useCase,
        present(),
      );
      const { ready, inFlight, waiting, dead } = counts ?? {};
      return { ready: Number(ready), inFlight: Number(inFlight), waiting: Number(waiting), dead: Number(dead) };
    });
  }

  async close(): Promise<void> {
    this.#instance.stop();
    // After all settlements that have been given. Where the file is away, the lease ends by itself.
    if (!this.#looks) await this.#database.write((sql) => this.#lease.end(sql)).catch(() => {});
    this.#database.close();
  }

  /** Lets go of the file without giving anything back, as `kill -9` does: for tests. */
  sever(): void {
    this.#instance.stop();
    this.#database.close();
  }
}
