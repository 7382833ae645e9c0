import type { FetchedRecord, Place } from "../client/kafka-client.ts";
import { DoneRuns, encodeRuns } from "../wire/done-runs.ts";

/** A record that was handed over and is not done. */
export class Entry {
  /** The partition as this instance reads it. */
  log: PartitionLog;
  readonly record: FetchedRecord;
  settled = false;
  /** What became of it was not stored: it is handed out again, by whoever has the partition. */
  dropped = false;

  constructor(log: PartitionLog, record: FetchedRecord) {
    this.log = log;
    this.record = record;
  }
}

interface Chunk {
  readonly records: readonly FetchedRecord[];
  /** The offset after the last one that was fetched, wanted or not. */
  readonly next: number;
  readonly bytes: number;
  at: number;
}

/** One partition as this instance reads it: what was fetched, handed over, done, and may be committed. */
export class PartitionLog {
  readonly place: Place;
  /** The next offset to be fetched. */
  position: number;
  /** Everything below was handed over, or is not wanted. */
  examined: number;
  /** Bytes fetched and not handed over. */
  buffered = 0;
  /** It went to another instance: what becomes of its entries is no longer ours to say. */
  lost = false;
  /** Some entries have to be handed out again, so that the partition has to be read anew. */
  hasDropped = false;
  /** What was committed last. */
  committed: string | undefined;
  /** Not to be fetched before, by the monotonic clock. */
  pausedUntil = 0;
  readonly #done: DoneRuns;
  readonly #chunks: Chunk[] = [];
  /** In the order of their offsets; those that are settled in the middle go when those before them do. */
  #entries: Entry[] = [];
  #first = 0;
  #unsettled = 0;
  #returned: Entry[] = [];
  readonly #running = new Map<number, Entry>();

  constructor(place: Place, mark: number, metadata = "") {
    this.place = place;
    this.position = mark;
    this.examined = mark;
    this.#done = new DoneRuns(mark, metadata);
  }

  /** Everything below is done. */
  get mark(): number {
    return this.#entries[this.#first]?.record.offset ?? this.examined;
  }

  /** How many entries are out. */
  get unsettled(): number {
    return this.#unsettled;
  }

  get hasRecords(): boolean {
    return this.#chunks.length > 0 || this.#returned.length > 0;
  }

  /** Whether a record was done before this instance got the partition. */
  wasDone(offset: number): boolean {
    return !this.#done.empty && this.#done.has(offset);
  }

  add(records: readonly FetchedRecord[], next: number): void {
    const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0) + 100, 0);
    this.#chunks.push({ records, next, bytes, at: 0 });
    this.buffered += bytes;
    this.position = next;
    this.#passEmpty();
  }

  /** The next entry to be handed over. */
  next(): Entry | undefined {
    const returned = this.#returned.shift();
    if (returned !== undefined) {
      this.#unsettled += 1;
      return returned;
    }
    for (;;) {
      const [chunk] = this.#chunks;
      const record = chunk?.records[chunk.at];
      if (chunk === undefined || record === undefined) return undefined;
      chunk.at += 1;
      this.examined = record.offset + 1;
      const running = this.#joined(record);
      const entry = running ?? new Entry(this, record);
      this.#entries.push(entry);
      this.#unsettled += 1;
      this.#passEmpty();
      if (running === undefined) return entry;
    }
  }

  /** An entry is done. */
  settle(entry: Entry): void {
    if (entry.settled || entry.dropped) return;
    entry.settled = true;
    this.#unsettled -= 1;
    while (this.#entries[this.#first]?.settled === true) this.#first += 1;
    if (this.#first > 1_024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }

  /** What became of an entry was not stored: it stays open here. */
  drop(entry: Entry): void {
    if (entry.settled || entry.dropped) return;
    entry.dropped = true;
    this.#unsettled -= 1;
    this.hasDropped = true;
  }

  /** An entry was not started, and is handed over again. */
  giveBack(entry: Entry): void {
    if (entry.settled || entry.dropped) return;
    this.#unsettled -= 1;
    this.#returned.push(entry);
    this.#returned.sort((a, b) => a.record.offset - b.record.offset);
  }

  /** Forgets what was fetched and not handed over. */
  dropBuffer(): void {
    this.#chunks.length = 0;
    this.buffered = 0;
    this.position = this.examined;
  }

  /** Goes on further up: what was between is gone from the broker. */
  skipTo(offset: number): void {
    this.dropBuffer();
    this.examined = Math.max(this.examined, offset);
    this.position = this.examined;
  }

  /** Takes over what still runs of an earlier log of this partition, so that it is not handed over a second time. */
  adopt(earlier: PartitionLog): void {
    for (const entry of earlier.#entries.slice(earlier.#first)) {
      if (!entry.settled && !entry.dropped && entry.record.offset >= this.mark)
        this.#running.set(entry.record.offset, entry);
    }
  }

  /** What may be committed. */
  get commit(): { readonly offset: number; readonly metadata: string } {
    const { mark, examined } = this;
    return { offset: mark, metadata: examined === mark ? "" : encodeRuns(mark, examined, this.#open()) };
  }

  *#open(): Generator<number> {
    for (let index = this.#first; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index];
      if (entry !== undefined && !entry.settled) yield entry.record.offset;
    }
  }

  /** The entry of a record that is being handled here since before the partition was read anew. */
  #joined(record: FetchedRecord): Entry | undefined {
    const entry = this.#running.get(record.offset);
    if (entry === undefined) return undefined;
    this.#running.delete(record.offset);
    // Settled meanwhile under the earlier log, which was dropped: it is handled anew.
    if (entry.settled || entry.dropped) return undefined;
    entry.log = this;
    return entry;
  }

  #passEmpty(): void {
    for (let [chunk] = this.#chunks; chunk !== undefined && chunk.at >= chunk.records.length; [chunk] = this.#chunks) {
      this.examined = Math.max(this.examined, chunk.next);
      this.buffered -= chunk.bytes;
      this.#chunks.shift();
    }
  }
}

/** Names a partition in maps. */
export function keyOf({ topic, partition }: Place): string {
  return `${partition} ${topic}`;
}
