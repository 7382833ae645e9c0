import type { Entry } from "../consuming/partition-log.ts";
import { DeadlineHeap } from "./deadline-heap.ts";

const MAX_DUE_AT_ONCE = 500;
const MAX_BYTES_AT_ONCE = 4 * 1_048_576;

/** An event that waits to be released. */
export interface WaitingEvent {
  readonly entry: Entry;
  readonly useCase: string;
  readonly bytes: number;
  /** Whether only its place is held: it is read again when it is due. */
  readonly shed: boolean;
}

/** The waiting events that this instance is to release, those of each partition by when they are due. */
export class WaitingEvents {
  readonly #heaps = new Map<number, DeadlineHeap<WaitingEvent>>();
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param maxBytes how many bytes may be held; of further events only the place is (H9) */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Holds an event until it is due by the broker's clock. */
  hold(due: number, entry: Entry, useCase: string): void {
    const { bytes } = entry;
    const shed = this.#bytes + bytes > this.#maxBytes;
    if (shed) entry.shed();
    else this.#bytes += bytes;
    this.putBack(due, { entry, useCase, bytes, shed });
  }

  /** Puts an event back that could not be released. */
  putBack(due: number, event: WaitingEvent): void {
    const { partition } = event.entry.log.source;
    let heap = this.#heaps.get(partition);
    if (heap === undefined) this.#heaps.set(partition, (heap = new DeadlineHeap()));
    heap.add(due, event);
  }

  /** Notes that an event is not held any more. */
  forget({ bytes, shed }: WaitingEvent): void {
    if (!shed) this.#bytes -= bytes;
  }

  /** How long the next event waits, by a clock for each partition; infinity where there is none. */
  wait(now: (partition: number) => number): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const [partition, { first }] of this.#heaps)
      if (first !== undefined) earliest = Math.min(earliest, first.at - now(partition));
    return earliest;
  }

  /** Whether any event of a partition is due at a time. */
  isDue(partition: number, time: number): boolean {
    const first = this.#heaps.get(partition)?.first;
    return first !== undefined && first.at <= time;
  }

  /** Takes events that are due, no more than go in one batch. */
  takeDue(now: (partition: number) => number): WaitingEvent[] {
    const due: WaitingEvent[] = [];
    let bytes = 0;
    for (const [partition, heap] of this.#heaps) {
      const time = now(partition);
      for (let { first } = heap; first !== undefined && first.at <= time; { first } = heap) {
        bytes += first.item.bytes;
        if (due.length === MAX_DUE_AT_ONCE || (due.length > 0 && bytes > MAX_BYTES_AT_ONCE)) return due;
        heap.shift();
        due.push(first.item);
      }
    }
    return due;
  }

  /** Takes those whose partitions have gone to other apps. */
  takeLost(): WaitingEvent[] {
    const lost: WaitingEvent[] = [];
    for (const [partition, heap] of this.#heaps) {
      const kept = new DeadlineHeap<WaitingEvent>();
      for (let { first } = heap; first !== undefined; { first } = heap) {
        heap.shift();
        if (first.item.entry.log.lost) lost.push(first.item);
        else kept.add(first.at, first.item);
      }
      this.#heaps.set(partition, kept);
    }
    return lost;
  }
}
