import { consoleLogger } from "../logging/logger.ts";
import { assertKnownOptions, integerOption, invalidOption } from "../options/check-options.ts";
import { assertUseCaseName } from "../routing/use-case-name.ts";
import { connect } from "../transport/connect.ts";
import type { DeadLetterStore } from "../transport/dead-letter-store.ts";
import type { Connection, Transport } from "../transport/transport.ts";
import { reviveDeadLetter } from "../wire/dead-letter.ts";
import { type DeadLetterItem, readDeadLetter } from "./item.ts";

/** It consumes nothing, so that any number will do. */
const MAX_HELD_BYTES = 67_108_864;

/** How {@link DeadLetters.list} lists. */
export interface ListOptions {
  /** The most items of a page, 1 to 1,000; 50 unless set. */
  readonly limit?: number | undefined;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  /** By when they became dead letters; `"newest"` unless set. */
  readonly order?: "newest" | "oldest" | undefined;
}

/** A page of dead letters. */
export interface DeadLetterList {
  readonly items: readonly DeadLetterItem[];
  /** Where the next page begins; absent at the end. */
  readonly next?: string;
}

/** The dead letters of one use case (D2). Every call may reject with `unknown-use-case` or `connection-failed`. */
export interface DeadLetters {
  /** How many there are now. */
  count(): Promise<number>;
  /** One page. Changes nothing, however often it is called (D3). @throws PapaError `invalid-option` */
  list(options?: ListOptions): Promise<DeadLetterList>;
  /** One by its id, or `undefined`. */
  get(id: string): Promise<DeadLetterItem | undefined>;
  /** Puts events back to this use case, attempt 1, same event id (D4); how many. Ids that are gone count 0. */
  redrive(ids: readonly string[] | "all"): Promise<number>;
  /** Destroys dead letters for good; how many. Ids that are gone count 0. */
  purge(ids: readonly string[] | "all"): Promise<number>;
  /** Ends the connection that was made for this; of an app's dead letters it ends nothing. */
  close(): Promise<void>;
}

/**
 * The dead letters of a use case, with no app running. Connects at the first call, until `close()`.
 *
 * @throws PapaError `invalid-use-case`
 * @example
 * await using letters = deadLetters(amqp(uri), "send_welcome");
 * await letters.redrive("all");
 */
export function deadLetters(transport: Transport, useCase: string): DeadLetters & AsyncDisposable {
  assertUseCaseName(useCase);
  let connecting: Promise<Connection> | undefined;
  const connection = () => {
    connecting ??= connect(transport, {
      appName: "papa-events dead letters",
      logger: consoleLogger,
      maxHeldBytes: MAX_HELD_BYTES,
      onStatus: () => {},
      onProblem: () => {},
    }).catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  };
  const close = async () => {
    const open = connecting;
    connecting = undefined;
    await open?.then((each) => each.close());
  };
  const letters = new StoredDeadLetters(useCase, async () => (await connection()).deadLetters(useCase), close);
  return Object.assign(letters, { [Symbol.asyncDispose]: close });
}

/** The user's view of a transport's store: arguments checked, letters decoded. */
export class StoredDeadLetters implements DeadLetters {
  readonly #useCase: string;
  readonly #store: () => Promise<DeadLetterStore>;
  readonly #close: () => Promise<void>;
  readonly #explain: (error: unknown) => unknown;

  /** @param explain what is thrown in place of a store's error */
  constructor(
    useCase: string,
    store: () => Promise<DeadLetterStore>,
    close: () => Promise<void>,
    explain: (error: unknown) => unknown = (error) => error,
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
    const { after, order = "newest" } = options;
    if (order !== "newest" && order !== "oldest")
      throw invalidOption("list: order", `${JSON.stringify(order)} is neither "newest" nor "oldest"`);
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

  async redrive(ids: readonly string[] | "all"): Promise<number> {
    assertIds(ids, "redrive");
    return this.#ask((store) => store.redrive(ids, reviveDeadLetter));
  }

  async purge(ids: readonly string[] | "all"): Promise<number> {
    assertIds(ids, "purge");
    return this.#ask((store) => store.purge(ids));
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #ask<T>(call: (store: DeadLetterStore) => Promise<T>): Promise<T> {
    try {
      return await call(await this.#store());
    } catch (error) {
      throw this.#explain(error);
    }
  }
}

function assertIds(ids: unknown, call: string): void {
  if (ids === "all" || (Array.isArray(ids) && ids.every((id) => typeof id === "string"))) return;
  throw invalidOption(`${call}: ids`, 'a list of dead-letter ids or "all" is needed');
}
