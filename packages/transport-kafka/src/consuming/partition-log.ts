import { DoneRuns, encodeRuns } from "../wire/done-runs.ts";
import type { FetchedRecord } from "../wire/records.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";

/** A record that was delivered and is not done. */
export class Entry {
  /** The log it belongs to; another one after the partition has been reassigned to this instance. */
  log: PartitionLog;
  readonly record: FetchedRecord;
  settled = false;
  /** Its settlement was not stored: whoever owns the partition delivers it again. */
  dropped = false;

  constructor(log: PartitionLog, record: FetchedRecord) {
    this.log = log;
    this.record = record;
  }
}

interface Chunk {
  readonly records: readonly FetchedRecord[];
  /** The offset after the last fetched record, accepted or not. */
  readonly next: number;
  readonly bytes: number;
  at: number;
}

/** Tracks one partition as this instance reads it: what was fetched, delivered and done, and what may be committed. */
export class PartitionLog {
  readonly source: TopicPartition;
  /** The next offset to be fetched. */
  position: number;
  /** Everything below was delivered, or is not accepted by any pattern. */
  examined: number;
  /** Bytes fetched and not delivered yet. */
  buffered = 0;
  /** The partition went to another instance: its entries can no longer be settled here. */
  lost = false;
  /** Some entries must be delivered again, which means reading the partition again. */
  hasDropped = false;
  /** The last commit, as text for comparison. */
  committed: string | undefined;
  /** When it may be fetched again, by the monotonic clock. */
  pausedUntil = 0;
  readonly #done: DoneRuns;
  readonly #chunks: Chunk[] = [];
  /** Ordered by offset. A settled entry stays until all entries before it are settled too. */
  #entries: Entry[] = [];
  #first = 0;
  #unsettled = 0;
  #released: Entry[] = [];
  /** What still runs from an earlier log of the partition, by offset. */
  readonly #running = new Map<number, Entry>();

  constructor(source: TopicPartition, committed: number, metadata = "") {
    this.source = source;
    this.position = committed;
    this.examined = committed;
    this.#done = new DoneRuns(committed, metadata);
  }

  /** The low-water mark: everything below is done. */
  get mark(): number {
    return this.#entries[this.#first]?.record.offset ?? this.examined;
  }

  /** The number of entries that are delivered and not settled. */
  get unsettled(): number {
    return this.#unsettled;
  }

  get hasRecords(): boolean {
    return this.#chunks.length > 0 || this.#released.length > 0;
  }

  /** Whether a record was already done when this instance got the partition. */
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

  /** Takes the next entry to deliver. */
  next(): Entry | undefined {
    const released = this.#released.shift();
    if (released !== undefined) {
      this.#unsettled += 1;
      return released;
    }
    for (;;) {
      const [chunk] = this.#chunks;
      const record = chunk?.records[chunk.at];
      if (chunk === undefined || record === undefined) return undefined;
      chunk.at += 1;
      this.examined = record.offset + 1;
      const running = this.#stillRunning(record);
      const entry = running ?? new Entry(this, record);
      this.#entries.push(entry);
      this.#unsettled += 1;
      this.#passEmpty();
      if (running === undefined) return entry;
    }
  }

  /** Marks an entry as done. */
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

  /** Leaves an entry open whose settlement was not stored. */
  drop(entry: Entry): void {
    if (entry.settled || entry.dropped) return;
    entry.dropped = true;
    this.#unsettled -= 1;
    this.hasDropped = true;
  }

  /** Takes back an entry that was not started, to deliver it again. */
  release(entry: Entry): void {
    if (entry.settled || entry.dropped) return;
    this.#unsettled -= 1;
    this.#released.push(entry);
    this.#released.sort((a, b) => a.record.offset - b.record.offset);
  }

  /** Forgets what was fetched and not delivered. */
  dropBuffer(): void {
    this.#chunks.length = 0;
    this.buffered = 0;
    this.position = this.examined;
  }

  /** Continues at a higher offset: what lies in between is gone from the broker. */
  skipTo(offset: number): void {
    this.dropBuffer();
    this.examined = Math.max(this.examined, offset);
    this.position = this.examined;
  }

  /** Takes over what still runs from an earlier log of this partition, so that it is not delivered a second time. */
  adopt(earlier: PartitionLog): void {
    for (const entry of earlier.#entries.slice(earlier.#first)) {
      if (!entry.settled && !entry.dropped && entry.record.offset >= this.mark)
        this.#running.set(entry.record.offset, entry);
    }
  }

  /** The offset and metadata that may be committed. */
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

  /** The entry of a record whose handler has been running since before the partition was read again. */
  #stillRunning(record: FetchedRecord): Entry | undefined {
    const entry = this.#running.get(record.offset);
    if (entry === undefined) return undefined;
    this.#running.delete(record.offset);
    // It ended under the earlier log, which can no longer commit: it is handled again.
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
