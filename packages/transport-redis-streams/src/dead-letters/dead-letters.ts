import {
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterStore,
  invalidOption,
  type Revive,
  type StoredDeadLetter,
} from "@papa-events/core/transport";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { inspectUseCase } from "../declarations/inspection.ts";
import { listDeadLetters } from "../scripts/list-dead-letters.ts";
import { purge } from "../scripts/purge.ts";
import { redrive } from "../scripts/redrive.ts";
import type { Argument, Script } from "../scripts/script.ts";
import type { Keys, UseCaseKeys } from "../wire/keys.ts";
import { PackedEvent, pack } from "../wire/packed-event.ts";

/** A page ends early where its dead letters are large. */
const MAX_PAGE_BYTES = 8 * 1_048_576;
/** How many are read by their ids at once; they may be large. */
const MAX_READ_COUNT = 32;
/** How much one script redrives. */
const MAX_REDRIVE_COUNT = 64;
const MAX_REDRIVE_BYTES = 1_048_576;
/** How many one script purges. */
const MAX_PURGE_COUNT = 1_000;

/** The dead letters of one use case. */
export class DeadLetters implements DeadLetterStore {
  readonly #useCase: string;
  readonly #namespace: Keys;
  readonly #keys: UseCaseKeys;
  readonly #connection: ReconnectingConnection;

  constructor(useCase: string, keys: Keys, connection: ReconnectingConnection) {
    this.#useCase = useCase;
    this.#namespace = keys;
    this.#keys = keys.forUseCase(useCase);
    this.#connection = connection;
  }

  async count(): Promise<number> {
    return (await inspectUseCase(this.#useCase, this.#namespace, this.#connection)).dead;
  }

  async list(query: DeadLetterQuery): Promise<DeadLetterPage> {
    const { after = "" } = query;
    if (after !== "" && !/^\d{1,16}$/.test(after)) {
      const problem = `${JSON.stringify(after)} is not a position in the list of "${this.#useCase}"; give the next of the page before`;
      throw invalidOption("list: after", problem);
    }
    await this.#assertDeclared();
    return this.#list(query);
  }

  async #list({ limit, after = "", order }: DeadLetterQuery): Promise<DeadLetterPage> {
    const { dead, deadOrder } = this.#keys;
    const reply = await this.#run(listDeadLetters, [dead, deadOrder], [order, after, limit, MAX_PAGE_BYTES]);
    const [next, ...rest] = reply as Buffer[];
    const items: StoredDeadLetter[] = [];
    for (let at = 0; at + 1 < rest.length; at += 2) {
      const [id, packed] = [rest[at], rest[at + 1]];
      if (id !== undefined && packed !== undefined) items.push({ id: id.toString(), event: new PackedEvent(packed) });
    }
    return next === undefined || next.length === 0 ? { items } : { items, next: next.toString() };
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    await this.#assertDeclared();
    const command = this.#connection.client.hgetBuffer(this.#keys.dead, id);
    const packed = await this.#connection.withPapaErrors(command);
    return packed === null ? undefined : { id, event: new PackedEvent(packed) };
  }

  async redrive(ids: readonly string[] | "all", revive: Revive): Promise<number> {
    if (ids === "all") return this.#redriveAll(revive);
    await this.#assertDeclared();
    const unique = [...new Set(ids)];
    let count = 0;
    for (let from = 0; from < unique.length; from += MAX_READ_COUNT)
      count += await this.#redrive(await this.#read(unique.slice(from, from + MAX_READ_COUNT)), revive);
    return count;
  }

  async purge(ids: readonly string[] | "all"): Promise<number> {
    await this.#assertDeclared();
    const { dead, deadOrder } = this.#keys;
    const purged = async (args: readonly string[]) => (await this.#run(purge, [dead, deadOrder], args)) as number;
    if (ids === "all") return purged(["all"]);
    let count = 0;
    for (let from = 0; from < ids.length; from += MAX_PURGE_COUNT)
      count += await purged(["some", ...ids.slice(from, from + MAX_PURGE_COUNT)]);
    return count;
  }

  /**
   * Redrives those that are stored now: what dies again meanwhile comes after them in the order. The next page is read while
   * one is redriven; a position in the order stays good when what is around it is gone.
   */
  async #redriveAll(revive: Revive): Promise<number> {
    let left = await this.count();
    let count = 0;
    let reading = this.#pageToRedrive(left);
    while (reading !== undefined) {
      const { items, next } = await reading;
      left -= items.length;
      reading = next === undefined ? undefined : this.#pageToRedrive(left, next);
      // Awaited in the next round, but it may fail before that.
      reading?.catch(() => {});
      count += await this.#redrive(items, revive);
    }
    return count;
  }

  #pageToRedrive(left: number, after?: string): Promise<DeadLetterPage> | undefined {
    if (left <= 0) return undefined;
    return this.#list({ limit: Math.min(MAX_REDRIVE_COUNT, left), order: "oldest", after });
  }

  async #read(ids: readonly string[]): Promise<readonly StoredDeadLetter[]> {
    const command = this.#connection.client.hmgetBuffer(this.#keys.dead, ...ids);
    const found = await this.#connection.withPapaErrors(command);
    return ids.flatMap((id, index) => {
      const packed = found[index];
      return packed === null || packed === undefined ? [] : { id, event: new PackedEvent(packed) };
    });
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
      const event = revive(deadLetter);
      args.push(deadLetter.id, pack(event));
      bytes += event.body.length;
      if (bytes >= MAX_REDRIVE_BYTES) await flush();
    }
    await flush();
    return count;
  }

  /** @throws PapaError `unknown-use-case` */
  async #assertDeclared(): Promise<void> {
    await this.count();
  }

  #run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.#connection.withPapaErrors(this.#connection.runForBytes(script, keys, args));
  }
}
