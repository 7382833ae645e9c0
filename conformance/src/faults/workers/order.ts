import type { Access } from "./access.ts";

/** What a worker is to do, given on its command line. */
export type Order = PublishOrder | HandleOrder | CollectOrder;

/** Publishes `count` events, numbered upwards from `from`. */
export interface PublishOrder extends Access {
  readonly role: "publish";
  readonly from: number;
  readonly count: number;
  /** The most `newEvent` calls that wait at once. */
  readonly window: number;
  /** Events per second; as fast as it goes unless set. */
  readonly rate?: number | undefined;
}

/** How events are handled, the same in all processes that handle. */
export interface Handling {
  /** Every event whose number this divides fails at its first attempt; none unless set. */
  readonly failing?: number | undefined;
  /** The number of an event that kills every process that handles it; none unless set. */
  readonly poison?: number | undefined;
  /** How long a handler takes, in milliseconds; 2 unless set. */
  readonly takes?: number | undefined;
  /** The most handler calls at once; the library's default unless set. */
  readonly concurrency?: number | undefined;
  /** How long a clean stop waits for handlers; the library's default unless set. */
  readonly drainTimeout?: number | undefined;
}

/** Handles each published event, with one output. */
interface HandleOrder extends Access, Handling {
  readonly role: "handle";
}

/** Handles each output. */
interface CollectOrder extends Access {
  readonly role: "collect";
}

/** The use cases of the two roles that handle. */
export const USE_CASES = { handle: "relay", collect: "collect" } as const;
/** What the first one handles, and what it returns. */
export const EVENTS = { made: "fault.made", relayed: "fault.relayed" } as const;
