import { compareIds, idText, MIN_ID, type StreamId } from "./stream-id.ts";

export interface StreamEntry {
  readonly id: StreamId;
  /** Names and values in turns. */
  readonly fields: readonly string[];
}

/** An entry that was handed out and is not acknowledged. */
export interface PendingEntry {
  readonly id: StreamId;
  consumer: string;
  deliveredAt: number;
  deliveries: number;
}

/** A consumer group. */
export class StreamGroup {
  lastDelivered: StreamId;
  readonly consumers = new Set<string>();
  readonly #pending = new Map<string, PendingEntry>();

  constructor(lastDelivered: StreamId) {
    this.lastDelivered = lastDelivered;
  }

  get size(): number {
    return this.#pending.size;
  }

  get(id: StreamId): PendingEntry | undefined {
    return this.#pending.get(idText(id));
  }

  add(entry: PendingEntry): void {
    this.#pending.set(idText(entry.id), entry);
  }

  delete(id: StreamId): boolean {
    return this.#pending.delete(idText(id));
  }

  /** All of a range, by id. */
  between(from: StreamId, to: StreamId): PendingEntry[] {
    return [...this.#pending.values()]
      .filter(({ id }) => compareIds(id, from) >= 0 && compareIds(id, to) <= 0)
      .sort((one, other) => compareIds(one.id, other.id));
  }

  ofConsumer(consumer: string): PendingEntry[] {
    return [...this.#pending.values()].filter((entry) => entry.consumer === consumer);
  }
}

/** A stream. */
export class Stream {
  readonly type = "stream";
  readonly groups = new Map<string, StreamGroup>();
  lastId: StreamId = MIN_ID;
  readonly #entries = new Map<string, StreamEntry>();

  get length(): number {
    return this.#entries.size;
  }

  get(id: StreamId): StreamEntry | undefined {
    return this.#entries.get(idText(id));
  }

  add(entry: StreamEntry): void {
    this.#entries.set(idText(entry.id), entry);
    this.lastId = entry.id;
  }

  delete(id: StreamId): boolean {
    return this.#entries.delete(idText(id));
  }

  /** In the order of their ids, which is that in which they were added. */
  *entries(): Iterable<StreamEntry> {
    yield* this.#entries.values();
  }

  between(from: StreamId, to: StreamId, limit = Number.POSITIVE_INFINITY): StreamEntry[] {
    const found: StreamEntry[] = [];
    for (const entry of this.#entries.values()) {
      if (found.length >= limit || compareIds(entry.id, to) > 0) break;
      if (compareIds(entry.id, from) >= 0) found.push(entry);
    }
    return found;
  }

  after(id: StreamId, limit: number): StreamEntry[] {
    return this.between({ ms: id.ms, seq: id.seq + 1 }, { ms: Infinity, seq: 0 }, limit);
  }
}
