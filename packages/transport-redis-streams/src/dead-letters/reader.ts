import {
  type DeadLetterPage,
  type DeadLetterQuery,
  MAX_DEAD_LETTER_PAGE_BYTES,
  type StoredDeadLetter,
} from "@papa-events/core/transport";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { listDeadLetters } from "../scripts/list-dead-letters.ts";
import type { UseCaseKeys } from "../wire/keys.ts";
import { PackedEvent } from "../wire/packed-event.ts";

/** How many one page of a pass has. */
const PASS_COUNT = 256;

/** A dead letter with when it was stored, in microseconds by the server's clock. */
export interface PlacedDeadLetter extends StoredDeadLetter {
  readonly position: number;
}

/** A page of them. */
export interface PlacedPage extends DeadLetterPage {
  readonly items: readonly PlacedDeadLetter[];
}

/** Reads the dead letters of one use case. Changes nothing (D3). */
export class DeadLetterReader {
  readonly #keys: UseCaseKeys;
  readonly #connection: ReconnectingConnection;
  readonly #maxPageBytes: number;

  constructor(keys: UseCaseKeys, connection: ReconnectingConnection, maxPageBytes = MAX_DEAD_LETTER_PAGE_BYTES) {
    this.#keys = keys;
    this.#connection = connection;
    this.#maxPageBytes = maxPageBytes;
  }

  /** @param last the position of the newest that counts; all count unless given */
  async page({ limit, after = "", order }: DeadLetterQuery, last = ""): Promise<PlacedPage> {
    const { dead, deadOrder } = this.#keys;
    const args = [order, after, limit, this.#maxPageBytes, last];
    const command = this.#connection.runForBytes(listDeadLetters, [dead, deadOrder], args);
    const [next, ...rest] = (await this.#connection.withPapaErrors(command)) as Buffer[];
    const items: PlacedDeadLetter[] = [];
    for (let at = 0; at + 2 < rest.length; at += 3) {
      const [id, position, packed] = [rest[at], rest[at + 1], rest[at + 2]];
      if (id !== undefined && packed !== undefined)
        items.push({ id: id.toString(), position: Number(position), event: new PackedEvent(packed) });
    }
    return next === undefined || next.length === 0 ? { items } : { items, next: next.toString() };
  }

  /**
   * Goes once through all that are there when it begins (D6): what dies later comes after them in the order. The next page is
   * read while one is worked on; a position in the order stays good when what is around it is gone.
   */
  async *pass(order: DeadLetterQuery["order"]): AsyncGenerator<readonly PlacedDeadLetter[], void, void> {
    const command = this.#connection.client.zrevrange(this.#keys.deadOrder, 0, 0, "WITHSCORES");
    const [, last] = await this.#connection.withPapaErrors(command);
    if (last === undefined) return;
    const read = (after?: string) => this.page({ limit: PASS_COUNT, order, after }, String(last));
    let reading: Promise<PlacedPage> | undefined = read();
    while (reading !== undefined) {
      const { items, next }: PlacedPage = await reading;
      reading = next === undefined ? undefined : read(next);
      // Awaited in the next round, but it may fail before that.
      reading?.catch(() => {});
      yield items;
    }
  }

  /** Those of the ids that there are. They may be large, so not too many at once. */
  async read(ids: readonly string[]): Promise<readonly StoredDeadLetter[]> {
    const command = this.#connection.client.hmgetBuffer(this.#keys.dead, ...ids);
    const found = await this.#connection.withPapaErrors(command);
    return ids.flatMap((id, index) => {
      const packed = found[index];
      return packed === null || packed === undefined ? [] : { id, event: new PackedEvent(packed) };
    });
  }
}
