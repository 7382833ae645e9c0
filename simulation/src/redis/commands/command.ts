import type { Database } from "../database.ts";
import { RedisError, type Reply, syntaxError } from "../reply.ts";

/** What a command does to the database. @throws RedisError */
export type Command = (database: Database, args: Arguments) => Reply;

/** The arguments of a command, in their order. */
export class Arguments {
  readonly #all: readonly string[];
  #at = 0;

  constructor(all: readonly string[]) {
    this.#all = all;
  }

  get left(): number {
    return this.#all.length - this.#at;
  }

  /** @throws RedisError where there is none */
  next(): string {
    const next = this.#all[this.#at];
    if (next === undefined) throw new RedisError("ERR wrong number of arguments");
    this.#at += 1;
    return next;
  }

  integer(): number {
    const number = Number(this.next());
    if (Number.isInteger(number)) return number;
    throw new RedisError("ERR value is not an integer or out of range");
  }

  float(): number {
    const text = this.next();
    const number = toScore(text);
    if (!Number.isNaN(number)) return number;
    throw new RedisError("ERR value is not a valid float");
  }

  /** The next one, in capitals. */
  get word(): string {
    return this.#all[this.#at]?.toUpperCase() ?? "";
  }

  /** Takes the next one where it is this word. */
  takes(word: string): boolean {
    if (this.word !== word) return false;
    this.#at += 1;
    return true;
  }

  rest(): readonly string[] {
    const rest = this.#all.slice(this.#at);
    this.#at = this.#all.length;
    return rest;
  }

  /** @throws RedisError where something is left */
  end(): void {
    if (this.left > 0) throw syntaxError();
  }
}

export function toScore(text: string): number {
  if (/^[+]?inf$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf$/i.test(text)) return Number.NEGATIVE_INFINITY;
  return text.trim() === "" ? Number.NaN : Number(text);
}

export function scoreText(score: number): string {
  if (Number.isFinite(score)) return String(score);
  return score > 0 ? "inf" : "-inf";
}
