import type { QueueStats } from "@papa-events/core/transport";
import {
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterStore,
  invalidOption,
  type Revive,
  type StoredDeadLetter,
} from "@papa-events/core/transport";
import { isReply, papaErrorOf, unknownUseCase } from "../client/errors.ts";
import type { Link } from "../client/link.ts";
import { listLetters, purge, redrive } from "../scripts/dead-letters.ts";
import { inspect } from "../scripts/inspect.ts";
import type { Argument, Script } from "../scripts/script.ts";
import { GROUP, RELEASED, type UseCaseKeys } from "../wire/keys.ts";
import { PackedEvent, pack } from "../wire/packed-event.ts";

/** The most bytes of one page: it ends early where letters are large. */
const PAGE_BYTES = 8 * 1_048_576;
/** How many letters are redriven in one step. */
const AT_ONCE = 64;
const REDRIVE_BYTES = 1_048_576;

/** The dead letters of one use case. */
export class Letters implements DeadLetterStore {
  readonly #useCase: string;
  readonly #keys: UseCaseKeys;
  readonly #link: () => Link;

  constructor(useCase: string, keys: UseCaseKeys, link: () => Link) {
    this.#useCase = useCase;
    this.#keys = keys;
    this.#link = link;
  }

  async count(): Promise<number> {
    return (await this.stats()).dead;
  }

  /** How many events the use case holds, the dead among them. @throws PapaError `unknown-use-case` */
  async stats(): Promise<QueueStats> {
    const { queue, due, dead } = this.#keys;
    const reply = (await this.#run(inspect, [queue, due, dead], [GROUP, RELEASED])) as number[] | null;
    if (reply === null) throw unknownUseCase(this.#useCase);
    const [ready = 0, inFlight = 0, waiting = 0, dying = 0] = reply;
    return { ready, inFlight, waiting, dead: dying };
  }

  async list({ limit, after = "", order }: DeadLetterQuery): Promise<DeadLetterPage> {
    if (after !== "" && !/^\d{1,16}$/.test(after)) {
      const problem = `${JSON.stringify(after)} is no place in the list of "${this.#useCase}"; give the next of the page before`;
      throw invalidOption("list: after", problem);
    }
    await this.stats();
    const { dead, deadOrder } = this.#keys;
    const [next, ...rest] = (await this.#run(
      listLetters,
      [dead, deadOrder],
      [order, after, limit, PAGE_BYTES],
    )) as Buffer[];
    const items: StoredDeadLetter[] = [];
    for (let at = 0; at + 1 < rest.length; at += 2) {
      const [id, packed] = [rest[at], rest[at + 1]];
      if (id !== undefined && packed !== undefined) items.push({ id: id.toString(), event: new PackedEvent(packed) });
    }
    return next === undefined || next.length === 0 ? { items } : { items, next: next.toString() };
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    await this.stats();
    try {
      const packed = await this.#link().client.hgetBuffer(this.#keys.dead, id);
      return packed === null ? undefined : { id, event: new PackedEvent(packed) };
    } catch (error) {
      throw this.#error(error);
    }
  }

  async redrive(ids: readonly string[] | "all", revive: Revive): Promise<number> {
    if (ids === "all") return this.#redriveAll(revive);
    await this.stats();
    let count = 0;
    for (const id of ids) {
      const letter = await this.get(id);
      if (letter !== undefined) count += await this.#redrive([letter], revive);
    }
    return count;
  }

  async purge(ids: readonly string[] | "all"): Promise<number> {
    await this.stats();
    if (ids !== "all" && ids.length === 0) return 0;
    const { dead, deadOrder } = this.#keys;
    return (await this.#run(purge, [dead, deadOrder], ids === "all" ? ["all"] : ["some", ...ids])) as number;
  }

  /** Those that are there now: what dies again meanwhile is behind them. */
  async #redriveAll(revive: Revive): Promise<number> {
    const all = (await this.stats()).dead;
    let count = 0;
    let seen = 0;
    let after: string | undefined;
    do {
      const page: DeadLetterPage = await this.list({
        limit: Math.min(AT_ONCE, all - seen) || 1,
        order: "oldest",
        after,
      });
      if (page.items.length === 0) break;
      count += await this.#redrive(page.items, revive);
      seen += page.items.length;
      after = page.next;
    } while (after !== undefined && seen < all);
    return count;
  }

  async #redrive(letters: readonly StoredDeadLetter[], revive: Revive): Promise<number> {
    const { dead, deadOrder, queue } = this.#keys;
    let count = 0;
    let args: Argument[] = [];
    let bytes = 0;
    const flush = async () => {
      if (args.length > 0) count += (await this.#run(redrive, [dead, deadOrder, queue], args)) as number;
      args = [];
      bytes = 0;
    };
    for (const letter of letters) {
      const event = revive(letter);
      args.push(letter.id, pack(event));
      bytes += event.body.length;
      if (bytes >= REDRIVE_BYTES) await flush();
    }
    await flush();
    return count;
  }

  async #run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.#link().runForBytes(script, keys, args);
    } catch (error) {
      throw this.#error(error);
    }
  }

  #error(error: unknown): Error {
    const link = this.#link();
    return isReply(error) ? papaErrorOf(error, link.address) : link.lost(error);
  }
}
