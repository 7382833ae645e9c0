import { assertFunctionOption, assertKnownOptions, integerOption, invalidOption } from "../options/check-options.ts";
import type { DeadLetterStore, Progress, Revive, Selection } from "../transport/dead-letter-store.ts";
import { reviveDeadLetter } from "../wire/dead-letter.ts";
import { encodePayload } from "../wire/payload.ts";
import type {
  DeadLetterList,
  DeadLetterSelection,
  DeadLetters,
  ListOptions,
  ProgressOptions,
  RedriveOptions,
  SearchOptions,
} from "./dead-letters.ts";
import { type DeadLetterFilter, filterOf } from "./filter.ts";
import { type DeadLetterItem, readDeadLetter } from "./item.ts";

export interface StoredDeadLettersOptions {
  readonly close?: () => Promise<void>;
  /** What is thrown in place of a store's error. */
  readonly explain?: (error: unknown) => unknown;
}

/** The user's view of a transport's store: arguments checked, letters decoded. */
export class StoredDeadLetters implements DeadLetters {
  readonly #useCase: string;
  readonly #store: () => Promise<DeadLetterStore>;
  readonly #close: () => Promise<void>;
  readonly #explain: (error: unknown) => unknown;

  constructor(
    useCase: string,
    store: () => Promise<DeadLetterStore>,
    { close = async () => {}, explain = (error) => error }: StoredDeadLettersOptions = {},
  ) {
    this.#useCase = useCase;
    this.#store = store;
    this.#close = close;
    this.#explain = explain;
  }

  async count(): Promise<number> {
    return this.#ask((store) => store.count());
  }

  async list(options: ListOptions = {}): Promise<DeadLetterList> {
    assertKnownOptions(options, ["limit", "after", "order"], "list");
    const limit = integerOption(options.limit, 50, "list: limit", 1, 1_000);
    const { after } = options;
    const order = orderOf(options.order, "list: order");
    if (after !== undefined && typeof after !== "string")
      throw invalidOption("list: after", "the `next` of the page before is needed");
    const page = await this.#ask((store) => store.list({ limit, after, order }));
    const items = page.items.map((stored) => readDeadLetter(stored, this.#useCase));
    return page.next === undefined ? { items } : { items, next: page.next };
  }

  async get(id: string): Promise<DeadLetterItem | undefined> {
    const stored = await this.#ask((store) => store.get(id));
    return stored === undefined ? undefined : readDeadLetter(stored, this.#useCase);
  }

  search(options: SearchOptions = {}): AsyncIterableIterator<DeadLetterItem> {
    const finds = filterOf(options, "search", ["order", "signal"]);
    const order = orderOf(options.order, "search: order");
    assertSignal(options.signal, "search");
    return this.#search(finds, order, options.signal);
  }

  async redrive(which: DeadLetterSelection, options: RedriveOptions = {}): Promise<number> {
    const selection = this.#selectionOf(which, "redrive");
    const progress = progressOf(options, ["payload"], "redrive");
    const revive = this.#reviver(options.payload);
    return this.#ask((store) => store.redrive(selection, revive, progress));
  }

  async purge(which: DeadLetterSelection, options: ProgressOptions = {}): Promise<number> {
    const selection = this.#selectionOf(which, "purge");
    const progress = progressOf(options, [], "purge");
    return this.#ask((store) => store.purge(selection, progress));
  }

  close(): Promise<void> {
    return this.#close();
  }

  async *#search(
    finds: (item: DeadLetterItem) => boolean,
    order: "newest" | "oldest",
    signal: AbortSignal | undefined,
  ): AsyncIterableIterator<DeadLetterItem> {
    try {
      const store = await this.#store();
      for await (const stored of store.scan(order, signal)) {
        const item = readDeadLetter(stored, this.#useCase);
        if (finds(item)) yield item;
        if (signal?.aborted === true) return;
      }
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #selectionOf(which: unknown, call: string): Selection {
    if (which === "all") return which;
    if (Array.isArray(which) && which.every((id) => typeof id === "string")) return which;
    if (typeof which !== "object" || which === null || Array.isArray(which) || !("where" in which))
      throw invalidOption(`${call}: ids`, 'a list of dead-letter ids, { where: ... } or "all" is needed');
    assertKnownOptions(which, ["where"], call);
    const where = which.where as DeadLetterFilter;
    const finds = filterOf(where, `${call}: where`);
    // A filter whose criteria have all come to nothing is a slip: it would mean everything there is.
    if (Object.values(where).every((criterion) => criterion === undefined))
      throw invalidOption(`${call}: where`, 'it names nothing to look for; for all of them give "all"');
    return (stored) => finds(readDeadLetter(stored, this.#useCase));
  }

  /** An operator is not held to an app's `maxPayloadBytes`: what the broker takes may go back. */
  #reviver(payload: unknown): Revive {
    if (payload === undefined) return (stored) => reviveDeadLetter(stored);
    if (typeof payload !== "function") {
      const text = encodePayload(this.#useCase, payload, Number.POSITIVE_INFINITY);
      return (stored) => reviveDeadLetter(stored, text);
    }
    const make = payload as (item: DeadLetterItem) => unknown;
    return (stored) => {
      const item = readDeadLetter(stored, this.#useCase);
      const made = make(item);
      if (made === undefined) return reviveDeadLetter(stored);
      return reviveDeadLetter(stored, encodePayload(item.eventName, made, Number.POSITIVE_INFINITY));
    };
  }

  async #ask<T>(call: (store: DeadLetterStore) => Promise<T>): Promise<T> {
    try {
      return await call(await this.#store());
    } catch (error) {
      throw this.#explain(error);
    }
  }
}

function orderOf(order: unknown, option: string): "newest" | "oldest" {
  if (order === undefined || order === "newest" || order === "oldest") return order ?? "newest";
  throw invalidOption(option, `${JSON.stringify(order)} is neither "newest" nor "oldest"`);
}

function progressOf(options: ProgressOptions, others: readonly string[], call: string): Progress {
  assertKnownOptions(options, ["onProgress", "signal", ...others], call);
  const { onProgress, signal } = options;
  assertFunctionOption(onProgress, `${call}: onProgress`);
  assertSignal(signal, call);
  return { onProgress, signal };
}

function assertSignal(signal: unknown, call: string): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw invalidOption(`${call}: signal`, "an AbortSignal is needed");
}
