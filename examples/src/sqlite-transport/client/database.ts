import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { PapaError } from "@papa-events/core";
import { type ConnectOptions, systemClock } from "@papa-events/core/transport";
import { isBusy, toPapaError } from "./errors.ts";
import { prepare } from "./schema.ts";

/** The wait before a file that is locked is tried again. */
const LOCK_RETRY_MS = 5;
/** The wait between two looks whether a lost file can be used again. */
const RECONNECT_MS = 50;

/** What a transaction may do. */
export interface Sql {
  all(sql: string, ...values: readonly SQLInputValue[]): Record<string, SQLOutputValue>[];
  get(sql: string, ...values: readonly SQLInputValue[]): Record<string, SQLOutputValue> | undefined;
  /** Gives how many rows have changed. */
  run(sql: string, ...values: readonly SQLInputValue[]): number;
}

interface Job {
  /** Does the work; gives how to say so once it is committed. */
  readonly work: (sql: Sql) => () => void;
  readonly reject: (error: Error) => void;
}

/**
 * The file. What is written in one turn is one transaction with one sync of the disk; each piece of work is undone by
 * itself if it fails, so that it harms no other (H8). A file that somebody else keeps locked counts as a lost connection.
 */
export class Database {
  readonly #file: string;
  readonly #lockTimeout: number;
  readonly #options: ConnectOptions;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #sql: Sql = {
    all: (sql, ...values) => this.#statement(sql).all(...values),
    get: (sql, ...values) => this.#statement(sql).get(...values),
    run: (sql, ...values) => Number(this.#statement(sql).run(...values).changes),
  };
  #jobs: Job[] = [];
  #planned = false;
  #busySince: number | undefined;
  #lost: PapaError | undefined;
  #onReturn: (() => void)[] = [];
  #failing = false;

  /** Opens the file. @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker`, `topology-conflict` */
  constructor(file: string, lockTimeout: number, options: ConnectOptions) {
    this.#file = file;
    this.#lockTimeout = lockTimeout;
    this.#options = options;
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(file, { timeout: lockTimeout });
      db.exec("PRAGMA synchronous = FULL");
      prepare(db, file);
      // From here on a lock is waited for without blocking Node.js.
      db.exec("PRAGMA busy_timeout = 0");
      this.#db = db;
    } catch (error) {
      db?.close();
      throw toPapaError(error, file);
    }
  }

  get closed(): boolean {
    return !this.#db.isOpen;
  }

  /** Whether the file can be used, as far as is known. */
  get connected(): boolean {
    return this.#lost === undefined && !this.closed;
  }

  /** Reads at once; a lock does not hinder readers. @throws PapaError (rejected) */
  async read<T>(work: (sql: Sql) => T): Promise<T> {
    this.#assertUsable();
    try {
      return work(this.#sql);
    } catch (error) {
      throw toPapaError(error, this.#file);
    }
  }

  /** Resolves when the work is committed. It is done once, and changes nothing but the file. @throws PapaError (rejected) */
  async write<T>(work: (sql: Sql) => T): Promise<T> {
    this.#assertUsable();
    return new Promise((resolve, reject) => {
      const job = (sql: Sql) => {
        const result = work(sql);
        return () => resolve(result);
      };
      this.#jobs.push({ work: job, reject });
      this.#plan();
    });
  }

  /** Resolves when the file can be used, or is closed, after a while at least. */
  async usable(): Promise<void> {
    if (this.#lost !== undefined && !this.closed) await new Promise<void>((resolve) => this.#onReturn.push(resolve));
    else await new Promise<void>((resolve) => setTimeout(resolve, RECONNECT_MS));
  }

  close(): void {
    if (this.closed) return;
    this.#db.close();
    this.#rejectAll(this.#away());
    this.#returned();
  }

  #plan(delay = 0): void {
    if (this.#planned) return;
    this.#planned = true;
    const flush = () => {
      this.#planned = false;
      if (!this.closed && this.#jobs.length > 0) this.#flush();
    };
    if (delay === 0) setImmediate(flush);
    else setTimeout(flush, delay);
  }

  #flush(): void {
    if (!this.#begin()) return;
    const jobs = this.#jobs.splice(0);
    try {
      const done = jobs.map((job) => this.#attempt(job));
      this.#db.exec("COMMIT");
      this.#report(undefined);
      for (const resolve of done) resolve();
    } catch (error) {
      if (!this.closed && this.#db.isTransaction) this.#db.exec("ROLLBACK");
      const problem = toPapaError(error, this.#file);
      this.#report(problem.message);
      for (const { reject } of jobs) reject(problem);
    }
  }

  /** Takes the lock, or comes back for it. */
  #begin(): boolean {
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      this.#busySince = undefined;
      return true;
    } catch (error) {
      const now = systemClock.elapsed();
      this.#busySince ??= now;
      if (isBusy(error) && now - this.#busySince < this.#lockTimeout) this.#plan(LOCK_RETRY_MS);
      else this.#lose(toPapaError(error, this.#file));
      return false;
    }
  }

  /** Does one job, undone by itself if it fails. @throws Error where SQLite has undone all of them */
  #attempt({ work, reject }: Job): () => void {
    this.#sql.run("SAVEPOINT job");
    try {
      const resolve = work(this.#sql);
      this.#sql.run("RELEASE job");
      return resolve;
    } catch (error) {
      if (this.closed || !this.#db.isTransaction) throw error;
      this.#db.exec("ROLLBACK TO job; RELEASE job");
      return () => reject(toPapaError(error, this.#file));
    }
  }

  #lose(error: PapaError): void {
    this.#lost = error;
    this.#options.onStatus({ connected: false, error });
    this.#rejectAll(error);
    const lookAgain = () => {
      if (this.closed) return;
      try {
        this.#db.exec("BEGIN IMMEDIATE; COMMIT");
      } catch {
        setTimeout(lookAgain, RECONNECT_MS);
        return;
      }
      this.#busySince = undefined;
      this.#lost = undefined;
      this.#returned();
      this.#options.onStatus({ connected: true });
    };
    setTimeout(lookAgain, RECONNECT_MS);
  }

  #returned(): void {
    for (const resolve of this.#onReturn.splice(0)) resolve();
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#jobs.splice(0)) reject(error);
  }

  #report(problem: string | undefined): void {
    if (problem === undefined && !this.#failing) return;
    this.#failing = problem !== undefined;
    this.#options.onProblem("the file", problem);
  }

  #assertUsable(): void {
    if (this.closed) throw this.#away();
    if (this.#lost !== undefined) throw this.#lost;
  }

  #away(): PapaError {
    const details = { transport: "sqlite", address: this.#file };
    return new PapaError("connection-failed", `${this.#file} is closed.`, details, { retryable: true });
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}
