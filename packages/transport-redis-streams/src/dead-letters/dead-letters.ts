import {
  type DeadLetterQuery,
  type DeadLetterStore,
  invalidOption,
  type Progress,
  type Revive,
  type Selection,
  type StoredDeadLetter,
} from "@papa-events/core/transport";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { inspectUseCase } from "../declarations/inspection.ts";
import { purge } from "../scripts/purge.ts";
import { redrive } from "../scripts/redrive.ts";
import type { Argument, Script } from "../scripts/script.ts";
import type { Keys, UseCaseKeys } from "../wire/keys.ts";
import { pack } from "../wire/packed-event.ts";
import { type Batch, inBatches } from "./in-batches.ts";
import { DeadLetterReader, type PlacedDeadLetter, type PlacedPage } from "./reader.ts";

/** How many are read by their ids at once; they may be large. */
const MAX_READ_COUNT = 32;
/** About how many bytes of events one script redrives. */
const MAX_REDRIVE_BYTES = 1_048_576;
/** How many one script purges. */
const MAX_PURGE_COUNT = 1_000;

/** The dead letters of one use case. */
export class DeadLetters implements DeadLetterStore {
  readonly #useCase: string;
  readonly #namespace: Keys;
  readonly #keys: UseCaseKeys;
  readonly #connection: ReconnectingConnection;
  readonly #reader: DeadLetterReader;

  /** @param maxPageBytes of events in one page; as many as any page may have, unless set */
  constructor(useCase: string, keys: Keys, connection: ReconnectingConnection, maxPageBytes?: number) {
    this.#useCase = useCase;
    this.#namespace = keys;
    this.#keys = keys.forUseCase(useCase);
    this.#connection = connection;
    this.#reader = new DeadLetterReader(this.#keys, connection, maxPageBytes);
  }

  async count(): Promise<number> {
    return (await inspectUseCase(this.#useCase, this.#namespace, this.#connection)).dead;
  }

  async list(query: DeadLetterQuery): Promise<PlacedPage> {
    const { after = "" } = query;
    if (after !== "" && !/^\d{1,16}$/.test(after)) {
      const problem = `${JSON.stringify(after)} is not a position in the list of "${this.#useCase}"; give the next of the page before`;
      throw invalidOption("list: after", problem);
    }
    await this.#assertDeclared();
    return this.#reader.page(query);
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    await this.#assertDeclared();
    return (await this.#reader.read([id]))[0];
  }

  async *scan(order: "newest" | "oldest", signal?: AbortSignal): AsyncGenerator<PlacedDeadLetter, void, void> {
    await this.#assertDeclared();
    for await (const page of this.#reader.pass(order)) {
      for (const letter of page) {
        if (signal?.aborted === true) return;
        yield letter;
      }
    }
  }

  async redrive(which: Selection, revive: Revive, progress?: Progress): Promise<number> {
    await this.#assertDeclared();
    return inBatches(this.#select(which), (letters) => this.#redrive(letters, revive), progress);
  }

  async purge(which: Selection, progress?: Progress): Promise<number> {
    await this.#assertDeclared();
    if (which !== "all") return inBatches(this.#selectIds(which), (ids) => this.#purge("some", ids), progress);
    if (progress?.signal?.aborted === true) return 0;
    // One step, however many there are.
    const done = await this.#purge("all");
    progress?.onProgress?.({ seen: done, done });
    return done;
  }

  async *#select(which: Selection): AsyncGenerator<Batch<StoredDeadLetter>, void, void> {
    if (typeof which === "function" || which === "all") {
      for await (const page of this.#reader.pass("oldest"))
        yield { seen: page.length, picked: which === "all" ? page : page.filter(which) };
      return;
    }
    for (const ids of chunks(which, MAX_READ_COUNT)) {
      const picked = await this.#reader.read(ids);
      yield { seen: picked.length, picked };
    }
  }

  async *#selectIds(which: Exclude<Selection, "all">): AsyncGenerator<Batch<string>, void, void> {
    if (typeof which !== "function") {
      for (const ids of chunks(which, MAX_PURGE_COUNT)) yield { seen: ids.length, picked: ids };
      return;
    }
    for await (const { seen, picked } of this.#select(which)) yield { seen, picked: picked.map(({ id }) => id) };
  }

  async #redrive(deadLetters: readonly StoredDeadLetter[], revive: Revive): Promise<number> {
    const { dead, deadOrder, queue } = this.#keys;
    let count = 0;
    let args: Argument[] = [];
    let bytes = 0;
    const flush = async () => {
      if (args.length > 0) count += (await this.#run(redrive, [dead, deadOrder, queue], args)) as number;
      args = [];
      bytes = 0;
    };
    for (const deadLetter of deadLetters) {
      const packed = pack(revive(deadLetter));
      args.push(deadLetter.id, packed);
      bytes += packed.length;
      if (bytes >= MAX_REDRIVE_BYTES) await flush();
    }
    await flush();
    return count;
  }

  async #purge(which: "all" | "some", ids: readonly string[] = []): Promise<number> {
    const { dead, deadOrder } = this.#keys;
    return (await this.#run(purge, [dead, deadOrder], [which, ...ids])) as number;
  }

  /** @throws PapaError `unknown-use-case` */
  async #assertDeclared(): Promise<void> {
    await this.count();
  }

  #run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.#connection.withPapaErrors(this.#connection.run(script, keys, args));
  }
}

function* chunks(ids: readonly string[], size: number): Generator<readonly string[], void, void> {
  const unique = [...new Set(ids)];
  for (let from = 0; from < unique.length; from += size) yield unique.slice(from, from + size);
}
