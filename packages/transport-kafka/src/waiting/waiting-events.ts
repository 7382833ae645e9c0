import type { Entry } from "../consuming/partition-log.ts";
import type { FetchedRecord } from "../wire/records.ts";
import { DeadlineHeap } from "./deadline-heap.ts";

const MAX_DUE_AT_ONCE = 500;
const MAX_BYTES_AT_ONCE = 4 * 1_048_576;
/** So many are read again at once. */
const MAX_READ_AT_ONCE = 20_000;

/** An event that waits to be released. */
export interface WaitingEvent {
  readonly entry: Entry;
  readonly useCase: string;
  readonly due: number;
}

/** Those of one partition. */
interface Waiting {
  /** Those that are held whole. */
  readonly whole: DeadlineHeap<WaitingEvent>;
  /** Those of which only the place is held: they are read again shortly before they are due. */
  readonly shed: DeadlineHeap<WaitingEvent>;
}

/** The waiting events that this instance is to release, those of each partition by when they are due. */
export class WaitingEvents {
  readonly #partitions = new Map<number, Waiting>();
  readonly #maxBytes: number;
  /** What those that are held whole have. */
  #bytes = 0;
  #count = 0;

  /** @param maxBytes how many bytes may be held; of further events only the place is (H9) */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many events are held, whole or not. */
  get count(): number {
    return this.#count;
  }

  /**
   * Holds an event until it is due by the broker's clock. Most of the room is left for those that are due soon, and for those
   * that are read again.
   */
  hold(due: number, entry: Entry, useCase: string, isSoon: boolean): void {
    this.#count += 1;
    const event = { entry, useCase, due };
    if (this.#bytes + entry.bytes <= (isSoon ? this.#maxBytes : this.#maxBytes / 4)) {
      this.holdWhole(event, entry.record);
    } else {
      entry.shed();
      this.#of(event).shed.add(due, event);
    }
  }

  /** Puts an event back that could not be released. */
  putBack(due: number, event: WaitingEvent): void {
    this.#of(event).whole.add(due, event);
  }

  /** Puts an event back that could not be read. */
  putBackUnread(due: number, event: WaitingEvent): void {
    this.#of(event).shed.add(due, event);
  }

  /** Holds an event whole, as it has been read. */
  holdWhole(event: WaitingEvent, record: FetchedRecord): void {
    event.entry.record = detached(record);
    this.#bytes += event.entry.bytes;
    this.#of(event).whole.add(event.due, event);
  }

  /** Notes that an event that was taken is not held any more. */
  forget({ entry }: WaitingEvent): void {
    this.#count -= 1;
    if (!entry.isShed) this.#bytes -= entry.bytes;
  }

  /** When the next event of a partition is due, among those that are held whole and among the others; infinity where there is none. */
  next(partition: number): { readonly whole: number; readonly shed: number } {
    const { whole, shed } = this.#partitions.get(partition) ?? {};
    return {
      whole: whole?.first?.at ?? Number.POSITIVE_INFINITY,
      shed: shed?.first?.at ?? Number.POSITIVE_INFINITY,
    };
  }

  get partitions(): Iterable<number> {
    return this.#partitions.keys();
  }

  /** Takes events that are due and held whole, no more than go in one batch. */
  takeDue(now: (partition: number) => number): WaitingEvent[] {
    const due: WaitingEvent[] = [];
    let bytes = 0;
    for (const [partition, { whole }] of this.#partitions) {
      const time = now(partition);
      for (let { first } = whole; first !== undefined && first.at <= time; { first } = whole) {
        bytes += first.item.entry.bytes;
        if (due.length === MAX_DUE_AT_ONCE || (due.length > 0 && bytes > MAX_BYTES_AT_ONCE)) return due;
        whole.shift();
        due.push(first.item);
      }
    }
    return due;
  }

  /**
   * Takes the next events of a partition that are to be read again, as many as there is room for and one at least. Of those
   * that are late already, the ones that stand together, so that the partition is gone through once for all of them.
   */
  takeShed(partition: number, now: number): WaitingEvent[] {
    const taken: WaitingEvent[] = [];
    const shed = this.#partitions.get(partition)?.shed;
    const room = this.#maxBytes - this.#bytes;
    let bytes = 0;
    for (let next = shed?.first; next !== undefined && taken.length < MAX_READ_AT_ONCE; next = shed?.first) {
      if (taken.length > 0 && bytes + next.item.entry.bytes > room && next.at > now) break;
      bytes += next.item.entry.bytes;
      shed?.shift();
      taken.push(next.item);
    }
    if (bytes <= room) return taken;
    taken.sort((a, b) => a.entry.record.offset - b.entry.record.offset);
    let fits = 0;
    for (let size = 0; fits < taken.length; fits += 1) {
      size += taken[fits]?.entry.bytes ?? 0;
      if (fits > 0 && size > room) break;
    }
    for (const event of taken.splice(fits)) this.putBackUnread(event.due, event);
    return taken;
  }

  /** Takes those whose partitions have gone to other apps. */
  takeLost(): WaitingEvent[] {
    const lost: WaitingEvent[] = [];
    for (const [partition, { whole, shed }] of this.#partitions)
      this.#partitions.set(partition, { whole: keptOf(whole, lost), shed: keptOf(shed, lost) });
    return lost;
  }

  #of({ entry }: WaitingEvent): Waiting {
    const { partition } = entry.log.source;
    let waiting = this.#partitions.get(partition);
    if (waiting === undefined) {
      waiting = { whole: new DeadlineHeap(), shed: new DeadlineHeap() };
      this.#partitions.set(partition, waiting);
    }
    return waiting;
  }
}

function keptOf(heap: DeadlineHeap<WaitingEvent>, lost: WaitingEvent[]): DeadlineHeap<WaitingEvent> {
  const kept = new DeadlineHeap<WaitingEvent>();
  for (let { first } = heap; first !== undefined; { first } = heap) {
    heap.shift();
    if (first.item.entry.log.lost) lost.push(first.item);
    else kept.add(first.at, first.item);
  }
  return kept;
}

/** A copy: a view of what was fetched would keep all of that in memory. */
function detached(record: FetchedRecord): FetchedRecord {
  const headers: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record.headers))
    headers[name] = Array.isArray(value) ? value.map(copyOf) : copyOf(value);
  return { ...record, key: null, value: record.value && Buffer.from(record.value), headers };
}

function copyOf(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}
