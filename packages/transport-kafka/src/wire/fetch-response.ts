import { gunzipSync } from "node:zlib";
import { HEADER } from "@papa-events/core/transport";
import { type FetchedRecord, type FetchPartition, type FetchResult, KafkaError } from "../client/kafka-client.ts";
import { errorOfCode } from "../client/kafkajs-errors.ts";
import { ByteReader } from "./byte-reader.ts";

/** Bytes of a batch before its records, and before what its length counts. */
const BATCH_HEADER = 61;
const BEFORE_LENGTH = 12;
/** The attributes of a batch. */
const COMPRESSION = 0b111;
const BROKERS_TIME = 0b1000;
const TRANSACTIONAL = 0b1_0000;
const CONTROL = 0b10_0000;
const GZIP = 1;
const ABORT = 0;

/**
 * Reads the answer to a Fetch request, versions 7 to 11 (https://kafka.apache.org/protocol#The_Messages_Fetch), with record
 * batches of magic 2: only what was asked for, without what producers' transactions took back. What kafkajs makes of each
 * record costs several times as much.
 *
 *     answer    = throttle error session *topic
 *     topic     = name *partition
 *     partition = number error high_watermark stable_offset start_offset *aborted [replica] length *batch
 */
export function readFetch(raw: Buffer, version: number, asked: readonly FetchPartition[]): FetchResult[] {
  const reader = new ByteReader(raw, 4);
  const whole = errorOfCode(reader.int16());
  if (whole !== undefined) throw whole;
  reader.at += 4;
  const from = new Map(asked.map(({ topic, partition, offset }) => [`${partition} ${topic}`, offset]));
  const results: FetchResult[] = [];
  for (let topics = reader.int32(); topics > 0; topics -= 1) {
    const topic = reader.string();
    for (let partitions = reader.int32(); partitions > 0; partitions -= 1) {
      const partition = reader.int32();
      const error = errorOfCode(reader.int16());
      const highWatermark = reader.int64();
      reader.at += 16;
      const aborted = readAborted(reader);
      if (version >= 11) reader.at += 4;
      const length = Math.max(reader.int32(), 0);
      const offset = from.get(`${partition} ${topic}`) ?? 0;
      const batches = new Batches(raw.subarray(reader.at, reader.at + length), offset, aborted);
      reader.at += length;
      results.push({ topic, partition, error, highWatermark, records: batches.records, next: batches.next });
    }
  }
  return results;
}

interface Aborted {
  readonly producer: number;
  readonly first: number;
}

function readAborted(reader: ByteReader): Aborted[] {
  const aborted: Aborted[] = [];
  for (let count = reader.int32(); count > 0; count -= 1)
    aborted.push({ producer: reader.int64(), first: reader.int64() });
  return aborted.sort((a, b) => a.first - b.first);
}

/** The records of a partition's batches, from an offset on. */
class Batches {
  readonly records: FetchedRecord[] = [];
  /** The offset after the last batch, also where compaction has taken its last records. */
  next: number;
  readonly #from: number;
  readonly #aborted: Aborted[];
  /** Producers whose transaction, at this place, ends by being taken back. */
  readonly #aborting = new Set<number>();

  constructor(bytes: Buffer, from: number, aborted: Aborted[]) {
    this.#from = from;
    this.next = from;
    this.#aborted = aborted;
    for (let at = 0; at + BATCH_HEADER <= bytes.length; ) {
      const end = at + BEFORE_LENGTH + bytes.readInt32BE(at + 8);
      // The last one may have been cut off by the limit of the request.
      if (end > bytes.length) break;
      this.#batch(bytes.subarray(at, end));
      at = end;
    }
  }

  #batch(batch: Buffer): void {
    const reader = new ByteReader(batch);
    const base = reader.int64();
    const magic = batch.readInt8(16);
    if (magic !== 2) throw unreadable(`a record batch of the old format ${magic}`);
    reader.at = 21;
    const attributes = reader.int16();
    const last = base + reader.int32();
    const firstTime = reader.int64();
    const latestTime = reader.int64();
    const producer = reader.int64();
    reader.at = 57;
    const count = reader.int32();
    this.next = Math.max(this.next, last + 1);
    while (this.#aborted[0] !== undefined && this.#aborted[0].first <= last)
      this.#aborting.add(this.#aborted.shift()?.producer ?? -1);
    if ((attributes & CONTROL) !== 0) {
      if (controlType(reader) === ABORT) this.#aborting.delete(producer);
      return;
    }
    if ((attributes & TRANSACTIONAL) !== 0 && this.#aborting.has(producer)) return;
    const records = new ByteReader(uncompressed(batch, attributes & COMPRESSION));
    if (records.buffer === batch) records.at = BATCH_HEADER;
    const brokersTime = (attributes & BROKERS_TIME) !== 0;
    for (let index = 0; index < count; index += 1)
      this.#record(records, base, brokersTime ? latestTime : firstTime, brokersTime);
  }

  #record(reader: ByteReader, base: number, baseTime: number, brokersTime: boolean): void {
    const length = reader.varint();
    const end = reader.at + length;
    reader.at += 1;
    const timeDelta = reader.varint();
    const offset = base + reader.varint();
    // A broker sends whole batches, from before what was asked for.
    if (offset >= this.#from) {
      const time = brokersTime ? baseTime : baseTime + timeDelta;
      this.records.push({ offset, time, key: reader.bytes(), value: reader.bytes(), headers: readHeaders(reader) });
    }
    reader.at = end;
  }
}

/** Bytes, but for the event's name, of which there are few; a header that comes more than once is a list. */
function readHeaders(reader: ByteReader): Record<string, unknown> {
  const headers: Record<string, unknown> = {};
  for (let count = reader.varint(); count > 0; count -= 1) {
    const name = reader.text();
    const value = name === HEADER.type ? nameIn(reader) : reader.bytes();
    // Assigned, this one would be the object's prototype.
    if (name === "__proto__") continue;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else headers[name] = [before, value];
  }
  return headers;
}

function nameIn(reader: ByteReader): string | undefined {
  // A length of -1 says that there is none.
  return reader.buffer[reader.at] === 1 ? (reader.bytes() ?? undefined)?.toString() : reader.text();
}

function controlType(reader: ByteReader): number {
  reader.varint();
  reader.at += 1;
  reader.varint();
  reader.varint();
  return reader.bytes()?.readInt16BE(2) ?? -1;
}

function uncompressed(batch: Buffer, compression: number): Buffer {
  if (compression === 0) return batch;
  if (compression === GZIP) return gunzipSync(batch.subarray(BATCH_HEADER));
  const name = ["none", "gzip", "snappy", "lz4", "zstd"][compression] ?? String(compression);
  throw unreadable(`a record batch compressed by ${name}`);
}

function unreadable(what: string): KafkaError {
  return new KafkaError("UNREADABLE", `There is ${what}, which this client cannot read.`, false);
}
