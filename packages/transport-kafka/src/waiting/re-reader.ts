import type { Cluster } from "../client/cluster.ts";
import { fetchOne } from "../client/fetch-one.ts";
import { KafkaError } from "../wire/kafka-error.ts";
import type { FetchedRecord } from "../wire/records.ts";
import type { WaitingEvent, WaitingEvents } from "./waiting-events.ts";

/** So long before they are due, at least, events are read again of which only the place was held. */
const MIN_LEAD_MS = 3_000;
const MAX_LEAD_MS = 30_000;
const LEAD_DECAY = 0.8;
const RETRY_DELAY_MS = 200;

export interface ReReaderOptions {
  readonly cluster: Cluster;
  readonly waiting: WaitingEvents;
  /** Called with an event that is gone, since only what has been released is deleted. */
  readonly onGone: (event: WaitingEvent) => void;
  /** Called with what cannot be read any more, and with the events that were in it. */
  readonly onUnreadable: (record: FetchedRecord, events: readonly WaitingEvent[]) => void;
  /** Called with an event whose partition has gone to another app meanwhile. */
  readonly onLost: (event: WaitingEvent) => void;
  /** Called when some have been read, or with what went wrong. */
  readonly onRead: (error?: unknown) => void;
}

/**
 * Reads waiting events again shortly before they are due: those of a partition that are due next, as many as there is room
 * for, in one pass through the partition.
 */
export class ReReader {
  readonly #options: ReReaderOptions;
  readonly #reading = new Set<number>();
  #lead = MIN_LEAD_MS;

  constructor(options: ReReaderOptions) {
    this.#options = options;
  }

  /** How long before they are due events should be read. */
  get lead(): number {
    return this.#lead;
  }

  isReading(partition: number): boolean {
    return this.#reading.has(partition);
  }

  /** Reads the next events of a partition, unless it is being read. Never rejects. @param now the time by the broker's clock */
  async read(partition: number, now: number): Promise<void> {
    if (this.#reading.has(partition)) return;
    const { waiting, onRead } = this.#options;
    const begun = performance.now();
    this.#reading.add(partition);
    const unread = new Set(waiting.takeShed(partition, now));
    let problem: unknown;
    try {
      await this.#read(unread);
    } catch (error) {
      problem = error;
    }
    for (const event of unread) this.#putBack(event, problem !== undefined);
    this.#reading.delete(partition);
    // A partition of which much waits takes longer to go through.
    const wanted = Math.max((performance.now() - begun) * 2, this.#lead * LEAD_DECAY);
    this.#lead = Math.min(Math.max(wanted, MIN_LEAD_MS), MAX_LEAD_MS);
    onRead(problem);
  }

  /** Removes from `events` what has been read, and what lies in something that cannot be. */
  async #read(events: Set<WaitingEvent>): Promise<void> {
    const { cluster, waiting, onLost, onUnreadable } = this.#options;
    const wanted = [...events].sort((a, b) => offsetOf(a) - offsetOf(b));
    const [first] = wanted;
    if (first === undefined) return;
    const { source } = first.entry.log;
    while (wanted.length > 0) {
      const from = offsetOf(wanted[0]);
      const { records, next, error, highWatermark } = await cluster.retried(() => fetchOne(cluster, source, from));
      if (error === undefined && next === from && highWatermark > from)
        throw new KafkaError("UNREADABLE", `Nothing can be read at offset ${from} of ${source.topic}.`, true);
      const end = wanted.findIndex((event) => offsetOf(event) >= Math.max(next, from + 1));
      const unreadable = new Map<FetchedRecord, WaitingEvent[]>();
      let index = 0;
      for (const event of wanted.splice(0, end === -1 ? wanted.length : end)) {
        const offset = offsetOf(event);
        while ((records[index]?.offset ?? Number.POSITIVE_INFINITY) < offset) index += 1;
        const record = records[index];
        // An unreadable record stands for its whole batch.
        if (record === undefined || (record.offset !== offset && record.unreadable === undefined)) continue;
        events.delete(event);
        if (event.entry.log.lost) onLost(event);
        else if (record.unreadable === undefined) waiting.holdWhole(event, record);
        else unreadable.set(record, [...(unreadable.get(record) ?? []), event]);
      }
      for (const [record, all] of unreadable) onUnreadable(record, all);
    }
  }

  #putBack(event: WaitingEvent, failed: boolean): void {
    const { waiting, onGone, onLost } = this.#options;
    if (event.entry.log.lost) onLost(event);
    else if (failed) waiting.putBackUnread(event.due + RETRY_DELAY_MS, event);
    else onGone(event);
  }
}

function offsetOf(event: WaitingEvent | undefined): number {
  return event?.entry.record.offset ?? 0;
}
