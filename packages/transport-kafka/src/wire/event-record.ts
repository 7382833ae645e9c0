import { type EncodedEvent, HEADER, type ReceivedEvent, readAttempt } from "@papa-events/core/transport";
import type { FetchedRecord, KafkaRecord } from "./records.ts";
import type { TopicPartition } from "./topic-partition.ts";

const EMPTY = Buffer.alloc(0);

/** Where a record's key travels with its event: the keys of the topics for retries and dead letters are taken (L5). */
const KEY_HEADER = "kafka_key";

/** Of a longer topic the end will do: an id has 200 characters at most. */
const MAX_TOPIC_IN_ID = 160;

/** Writes an event as a record: its body and its headers, unchanged; those from outside in their own bytes, each as often as it came (L5). */
export function recordOf({ headers, rawHeaders, body }: EncodedEvent): KafkaRecord {
  return { key: null, value: body, headers: rawHeaders === undefined ? headers : { ...headers, ...rawHeaders } };
}

/** Gives a record that comes back to a use case the key that it had, if any. */
export function withKey(record: KafkaRecord): KafkaRecord {
  const header = record.headers?.[KEY_HEADER];
  const key: unknown = Array.isArray(header) ? header[0] : header;
  return typeof key === "string" || key instanceof Uint8Array ? { ...record, key } : record;
}

/** Reads an event's name from its header; without one the event is called like its topic, prefix aside. */
export function nameOf({ headers, unreadable }: FetchedRecord, topicName: string | undefined): string {
  // It is a dead letter of everyone who reads it: what it holds may be for any of them.
  if (unreadable !== undefined) return "";
  const header = headers[HEADER.type];
  const value: unknown = Array.isArray(header) ? header[0] : header;
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array && value.length > 0) return Buffer.from(value).toString();
  return topicName ?? "";
}

/** A record as an event. */
class RecordedEvent implements ReceivedEvent {
  readonly name: string;
  readonly time: number;
  readonly headers: FetchedRecord["headers"];
  readonly headerBytes: number | undefined;
  readonly body: Uint8Array;
  readonly #source: TopicPartition;
  readonly #offset: number;

  constructor(record: FetchedRecord, name: string, source: TopicPartition) {
    const { offset, time, key, headers, headerBytes, value } = record;
    this.name = name;
    this.time = time;
    this.headers = key === null || KEY_HEADER in headers ? headers : { ...headers, [KEY_HEADER]: key };
    this.headerBytes = headerBytes;
    this.body = value ?? EMPTY;
    this.#source = source;
    this.#offset = offset;
  }

  /** Its position is the same at each delivery, so it serves as an id where there is none. */
  get id(): string {
    const { topic, partition } = this.#source;
    return `${topic.slice(-MAX_TOPIC_IN_ID)}-${partition}-${this.#offset}`;
  }
}

/** Reads a record as an event. */
export function eventOf(record: FetchedRecord, name: string, source: TopicPartition): ReceivedEvent {
  return new RecordedEvent(record, name, source);
}

export function attemptOf({ headers }: FetchedRecord): number {
  return readAttempt(headers);
}
