import { wrongType } from "./reply.ts";
import { Stream } from "./stream.ts";

export class Text {
  readonly type = "string";
  value: string;

  constructor(value: string) {
    this.value = value;
  }
}

export class Hash {
  readonly type = "hash";
  readonly fields = new Map<string, string>();
}

export class SortedSet {
  readonly type = "zset";
  readonly scores = new Map<string, number>();

  /** By score, and by member where scores are equal. */
  sorted(): [member: string, score: number][] {
    return [...this.scores].sort(([one, low], [other, high]) => low - high || (one < other ? -1 : 1));
  }
}

export type Value = Text | Hash | SortedSet | Stream;

/** What the server holds. */
export class Database {
  /** Keys that a command has written to. */
  readonly written = new Set<string>();
  readonly #now: () => number;
  readonly #values = new Map<string, Value>();
  readonly #expiries = new Map<string, number>();

  /** @param now the server's clock, in milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  get now(): number {
    return this.#now();
  }

  get keys(): Iterable<string> {
    return this.#values.keys();
  }

  get(key: string): Value | undefined {
    const expiry = this.#expiries.get(key);
    if (expiry !== undefined && expiry <= this.now) this.delete(key);
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    this.#values.set(key, value);
    this.written.add(key);
  }

  delete(key: string): boolean {
    this.#expiries.delete(key);
    this.written.add(key);
    return this.#values.delete(key);
  }

  expire(key: string, milliseconds: number): boolean {
    if (this.get(key) === undefined) return false;
    this.#expiries.set(key, this.now + milliseconds);
    return true;
  }

  /** @throws RedisError where the key has another type */
  text(key: string): Text | undefined {
    return this.#typed(key, Text);
  }

  hash(key: string): Hash | undefined {
    return this.#typed(key, Hash);
  }

  sortedSet(key: string): SortedSet | undefined {
    return this.#typed(key, SortedSet);
  }

  stream(key: string): Stream | undefined {
    return this.#typed(key, Stream);
  }

  /** Has `write` change a value, which is made first where it is missing, and is gone afterwards where it is empty. */
  writeHash<T>(key: string, write: (fields: Map<string, string>) => T): T {
    const hash = this.hash(key) ?? new Hash();
    return this.#write(
      key,
      hash,
      () => write(hash.fields),
      () => hash.fields.size === 0,
    );
  }

  writeSortedSet<T>(key: string, write: (scores: Map<string, number>) => T): T {
    const set = this.sortedSet(key) ?? new SortedSet();
    return this.#write(
      key,
      set,
      () => write(set.scores),
      () => set.scores.size === 0,
    );
  }

  #write<T>(key: string, value: Value, write: () => T, isEmpty: () => boolean): T {
    const written = write();
    if (isEmpty()) this.delete(key);
    else this.set(key, value);
    return written;
  }

  #typed<T extends Value>(key: string, kind: new (...args: never[]) => T): T | undefined {
    const value = this.get(key);
    if (value === undefined || value instanceof kind) return value;
    throw wrongType();
  }
}
