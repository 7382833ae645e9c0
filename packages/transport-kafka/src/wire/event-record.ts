import { HEADER, type ReceivedEvent, readAttempt } from "@papa-events/core/transport";
import type { FetchedRecord } from "../client/kafka-client.ts";

const EMPTY = Buffer.alloc(0);

/** An event's name: its header, or what its topic is called without the prefix. */
export function nameOf({ headers }: FetchedRecord, topicName: string | undefined): string {
  const header = headers[HEADER.type];
  const value: unknown = Array.isArray(header) ? header[0] : header;
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array && value.length > 0) return Buffer.from(value).toString();
  return topicName ?? "";
}

export function eventOf(record: FetchedRecord, name: string, place: string): ReceivedEvent {
  const { headers, time, value, offset } = record;
  // The place is the same at each delivery, so that it is an id for events that come without one.
  return { name, id: `${place}-${offset}`, time, headers, body: value ?? EMPTY };
}

export function attemptOf({ headers }: FetchedRecord): number {
  return readAttempt(headers);
}
