import { readPointer, withPointer } from "../wire/done-record.ts";
import { DoneRuns, encodeRuns, encodeUnfitRuns, type Run, readRuns, runsBetween } from "../wire/done-runs.ts";
import { afterDeath, type HandedOut, readHandedOut, withHandedOut } from "../wire/handed-out.ts";
import { bytesOf, type FetchedRecord } from "../wire/records.ts";
import { withTopicId } from "../wire/topic-id.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";
import { OpenEntries } from "./open-entries.ts";

/** What a record takes besides its value and headers is counted as so many bytes. */
const RECORD_OVERHEAD_BYTES = 100;
/** How far ahead deliveries are announced: as far as they got lately in so many milliseconds. */
const ANNOUNCED_TIME_MS = 500;
const MAX_ANNOUNCED = 5_000;
/** A record of what is done has no more characters. */
const MAX_DONE_RECORD_LENGTH = 900_000;
/** Less says nothing about how fast deliveries are. */
const MIN_MEASURED_MS = 20;

/** In place of the headers of what is shed. */
const SHED = {};

/** A record that was delivered and is not done. */
export class Entry {
  /** The log it belongs to; another one after the partition has been reassigned to this instance. */
  log: PartitionLog;
  record: FetchedRecord;
  /** How much it counts for, also when it is shed. */
  readonly bytes: number;
  settled = false;
  /** Given back, or its settlement was not stored: whoever owns the partition delivers its record again. */
  dropped = false;
  /** The number of the subscription that it was delivered to. */
  subscription = 0;
  /** Its place among the open entries. */
  place = 0;

  constructor(log: PartitionLog, record: FetchedRecord) {
    this.log = log;
    this.record = record;
    this.bytes = heldFor(record);
  }

  /** Forgets what the record holds but its place: it can be read again. */
  shed(): void {
    const { offset, time } = this.record;
    this.record = { offset, time, key: null, value: null, headers: SHED };
  }

  get isShed(): boolean {
    return this.record.headers === SHED;
  }
}

interface Chunk {
  readonly records: readonly FetchedRecord[];
  /** The offset after the last fetched record, accepted or not. */
  readonly next: number;
  readonly bytes: number;
  at: number;
}

/** How a partition begins to be read. */
export interface LogStart {
  /** The topic's id. */
  readonly topicId?: number | undefined;
  /** The metadata of the commit it begins at. */
  readonly metadata?: string | undefined;
  /** What is done according to the record that the metadata points at. */
  readonly done?: DoneRuns | undefined;
  /** Whether the owner before may have died: what it had handed out then counts as redelivered (T6). */
  readonly takenOver?: boolean | undefined;
  /**
   * Whether a commit announces what is handed out before it is, so that it is known after a death. At least so many
   * offsets are announced at a time.
   */
  readonly announces?: (() => number) | undefined;
}

/** Tracks one partition as this instance reads it: what was fetched, delivered and done, and what may be committed. */
export class PartitionLog {
  readonly source: TopicPartition;
  readonly key: string;
  readonly topicId: number | undefined;
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
  /** Whether a commit may say something else than the one before. */
  isChanged = true;
  /** When it may be fetched again, by the monotonic clock. */
  pausedUntil = 0;
  /** How often in a row what was fetched was damaged. */
  damages = 0;
  #deliveryPaused = false;
  /** What others have done, or this instance before it read the partition again. */
  #done: DoneRuns;
  /** Where the record is of what the metadata has no room for, and up to where it tells what is done. */
  #doneAt: { readonly offset: number; readonly end: number } | undefined;
  readonly #chunks: Chunk[] = [];
  /** What is delivered and not done; what was released or dropped too. */
  readonly #open = new OpenEntries();
  #unsettled = 0;
  readonly #released: Entry[] = [];
  /** When they may be delivered again, by the monotonic clock. */
  #releasedUntil = 0;
  /** What was delivered by an earlier log of the partition and runs still, or has ended since; until it is read again, by offset. */
  readonly #running = new Map<number, Entry>();
  readonly #announces: (() => number) | undefined;
  /** Records below may be handed out: a commit says so. */
  #announced: number;
  /** How far announcements are ahead, in offsets. */
  #ahead = 0;
  #suspects: HandedOut;
  #isEndKnown = false;
  #lastCommit = { at: performance.now(), examined: 0 };

  constructor(source: TopicPartition, committed: number, start: LogStart = {}) {
    const { topicId, metadata = "", done, takenOver = false, announces } = start;
    const handedOut = readHandedOut(committed, metadata);
    this.source = source;
    this.key = partitionKey(source);
    this.topicId = topicId;
    this.position = committed;
    this.examined = committed;
    this.#done = readRuns(committed, metadata).and(done ?? DoneRuns.NONE);
    const pointer = done === undefined ? undefined : readPointer(metadata);
    if (pointer !== undefined) this.#doneAt = { offset: pointer, end: this.#done.end };
    this.#suspects = takenOver ? afterDeath(handedOut) : handedOut;
    this.#announces = announces;
    this.#announced = announces === undefined ? Number.POSITIVE_INFINITY : committed;
    this.#lastCommit.examined = committed;
  }

  /** The low-water mark: everything below is done. */
  get mark(): number {
    return this.#open.first?.record.offset ?? this.examined;
  }

  /** Whether it is drained, so that nothing is to be fetched for it. */
  get deliveryPaused(): boolean {
    return this.#deliveryPaused;
  }

  /** The number of entries that are delivered and not settled. */
  get unsettled(): number {
    return this.#unsettled;
  }

  get hasRecords(): boolean {
    return this.#nextRecord !== undefined;
  }

  /** Whether a commit should announce further deliveries soon. */
  get wantsAnnouncement(): boolean {
    const record = this.#nextRecord;
    return record !== undefined && this.#announced < Math.max(record.offset + 1, this.examined + this.#ahead / 2);
  }

  /** How often a record came back unexplained, as far as it matters (T6). */
  redeliveriesOf(offset: number): number {
    if (offset < this.#suspects.twice) return 2;
    return offset < this.#suspects.once ? 1 : 0;
  }

  /** Notes where the partition ends. What did not exist when this log began has not come back from a death. */
  endsAt(end: number): void {
    if (this.#isEndKnown) return;
    this.#isEndKnown = true;
    this.isChanged = true;
    const { until, once, twice } = this.#suspects;
    this.#suspects = { until, once: Math.min(once, end), twice: Math.min(twice, end) };
  }

  /** Whether a record was already done when this log began. */
  wasDone(offset: number): boolean {
    return !this.#done.empty && this.#done.has(offset);
  }

  /** From here on nothing is known to be done, but by this log itself. */
  get doneEnd(): number {
    return this.#done.end;
  }

  /** Whatever has been committed is to be committed again: it may not be stored, or somebody else may have committed since. */
  forgetCommit(): void {
    this.committed = undefined;
    this.isChanged = true;
  }

  add(records: readonly FetchedRecord[], next: number): void {
    this.isChanged = true;
    const bytes = records.reduce((sum, record) => sum + heldFor(record), 0);
    this.#chunks.push({ records, next, bytes, at: 0 });
    this.buffered += bytes;
    this.position = next;
    this.#passEmpty();
  }

  /** Takes the next entry to deliver; none that is not announced yet, or for which there is no room. */
  next(hasRoom: (bytes: number) => boolean = () => true): Entry | undefined {
    for (;;) {
      const record = this.#nextRecord;
      if (record === undefined || record.offset >= this.#announced || !hasRoom(heldFor(record))) return undefined;
      const released = this.#nextReleased;
      if (released !== undefined) {
        this.#released.shift();
        this.#unsettled += 1;
        return released;
      }
      const [chunk] = this.#chunks;
      if (chunk === undefined) return undefined;
      chunk.at += 1;
      this.examined = record.offset + 1;
      this.isChanged = true;
      const entry = this.#opened(record);
      if (chunk.at >= chunk.records.length) this.#passEmpty();
      if (entry !== undefined) return entry;
    }
  }

  /** Delivers nothing more for now; what was fetched is forgotten. */
  pauseDelivery(): void {
    this.#deliveryPaused = true;
    this.dropBuffer();
  }

  resumeDelivery(): void {
    this.#deliveryPaused = false;
  }

  /** Marks an entry as done. */
  settle(entry: Entry): void {
    if (entry.settled || entry.dropped) return;
    entry.settled = true;
    this.#unsettled -= 1;
    this.#open.delete(entry);
    this.isChanged = true;
  }

  /** Leaves an entry open whose settlement was not stored. */
  drop(entry: Entry): void {
    if (entry.settled || entry.dropped) return;
    entry.dropped = true;
    entry.shed();
    this.#unsettled -= 1;
    this.hasDropped = true;
  }

  /** Takes back an entry that was not started, to deliver its record again after a time. */
  release(entry: Entry, notBefore = 0): void {
    if (entry.settled || entry.dropped) return;
    // A late settlement must find nothing to settle: the record gets an entry of its own.
    entry.dropped = true;
    this.#unsettled -= 1;
    // It has not been read again yet, and is delivered when it is.
    if (this.#running.get(entry.record.offset) === entry) return;
    const again = new Entry(this, entry.record);
    this.#open.replace(entry, again);
    this.#released.push(again);
    this.#released.sort((a, b) => a.record.offset - b.record.offset);
    this.#releasedUntil = Math.max(this.#releasedUntil, notBefore);
  }

  /** Forgets what was fetched and not delivered. */
  dropBuffer(): void {
    this.#chunks.length = 0;
    this.buffered = 0;
    this.position = this.examined;
  }

  /** Continues at a higher offset: what lies in between is gone from the broker. */
  skipTo(offset: number): void {
    this.isChanged = true;
    this.dropBuffer();
    this.examined = Math.max(this.examined, offset);
    this.position = this.examined;
  }

  /**
   * Takes over from an earlier log of this partition what it knows, though it may not be committed: what is done is skipped,
   * and what still runs is not delivered a second time.
   */
  adopt(earlier: PartitionLog): void {
    if (earlier.mark > this.examined) this.skipTo(earlier.mark);
    // What was given back and not delivered again runs nowhere.
    const waiting = new Set(earlier.#released);
    for (const entry of [...earlier.#running.values(), ...earlier.#open]) {
      const { offset } = entry.record;
      if (entry.dropped || waiting.has(entry) || offset < this.mark || this.wasDone(offset)) continue;
      this.#running.set(offset, entry);
      if (entry.settled) continue;
      entry.log = this;
      this.#unsettled += 1;
    }
    this.#done = this.#done.and(new DoneRuns(earlier.#doneAbove()));
  }

  /**
   * What may be committed. It announces what may be handed out until the next commit, or, where nothing is to be handed out
   * any more, that nothing is open.
   *
   * @returns what to call when it is stored
   */
  commit(ends: boolean): { readonly offset: number; readonly metadata: string; readonly stored: () => void } {
    const { mark } = this;
    if (this.#doneAt !== undefined && this.#doneAt.end <= mark) this.#doneAt = undefined;
    const runs = withPointer(encodeRuns(mark, this.#doneAbove()), this.#doneAt?.offset);
    if (this.#announces === undefined)
      return { offset: mark, metadata: withTopicId(runs, this.topicId), stored: () => {} };
    // Whatever comes of the commit: from now on nothing is handed out without a new announcement.
    if (ends) this.#announced = mark;
    const until = ends ? mark : this.#announcement(this.#announces());
    const metadata = withTopicId(withHandedOut(runs, mark, { ...this.#suspects, until }), this.topicId);
    return { offset: mark, metadata, stored: () => this.#isAnnounced(until) };
  }

  /** What is done above the mark and a commit's metadata has no room for; `undefined` where it has. */
  unfitRuns(): string | undefined {
    return encodeUnfitRuns(this.mark, this.#doneAbove(), MAX_DONE_RECORD_LENGTH);
  }

  /** Notes that a record at this offset tells what {@link unfitRuns} has told. */
  doneAt(offset: number): void {
    this.isChanged = true;
    this.#doneAt = { offset, end: Math.max(this.examined, this.#done.end) };
  }

  /** What is done above the mark, by this log and, further up, by others before it. */
  *#doneAbove(): Generator<Run> {
    yield* runsBetween(this.mark, this.examined, this.#open.offsets());
    yield* this.#done.from(this.examined);
  }

  /** Up to where records may be handed out from now on. It moves when half of it is used, so that an idle partition is not committed again and again. */
  #announcement(least: number): number {
    const { at, examined } = this.#lastCommit;
    const now = performance.now();
    const lately = ((this.examined - examined) / Math.max(now - at, MIN_MEASURED_MS)) * ANNOUNCED_TIME_MS;
    this.#ahead = Math.ceil(Math.min(Math.max(least, lately), MAX_ANNOUNCED));
    this.#lastCommit = { at: now, examined: this.examined };
    const from = Math.max(this.examined, this.#nextRecord?.offset ?? 0);
    return this.#announced < from + this.#ahead / 2 ? from + this.#ahead : this.#announced;
  }

  #isAnnounced(until: number): void {
    if (until > this.#announced && !this.lost) this.#announced = until;
  }

  get #nextReleased(): Entry | undefined {
    if (this.#released.length === 0 || performance.now() < this.#releasedUntil) return undefined;
    return this.#released[0];
  }

  get #nextRecord(): FetchedRecord | undefined {
    if (this.#deliveryPaused) return undefined;
    const released = this.#nextReleased;
    if (released !== undefined) return released.record;
    const [chunk] = this.#chunks;
    return chunk?.records[chunk.at];
  }

  /** Opens an entry for a record, unless an earlier log has delivered it, and it runs still or is done. */
  #opened(record: FetchedRecord): Entry | undefined {
    const earlier = this.#running.size === 0 ? undefined : this.#running.get(record.offset);
    if (earlier !== undefined) this.#running.delete(record.offset);
    if (earlier?.settled === true) return undefined;
    if (earlier?.dropped === false) {
      this.#open.add(earlier);
      return undefined;
    }
    const entry = new Entry(this, record);
    this.#open.add(entry);
    this.#unsettled += 1;
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

function heldFor(record: FetchedRecord): number {
  return bytesOf(record) + RECORD_OVERHEAD_BYTES;
}
