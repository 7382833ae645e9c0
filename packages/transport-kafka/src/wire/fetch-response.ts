import { HEADER } from "@papa-events/core/transport";
import { ByteReader } from "./byte-reader.ts";
import { compressionName, decompress } from "./compression.ts";
import { crc32c } from "./crc32c.ts";
import { errorOfCode } from "./kafka-error.ts";
import type { FetchedRecord, FetchResult } from "./records.ts";
import { type PartitionOffset, partitionKey } from "./topic-partition.ts";

/** The size of a batch's header, and of the part of it that the batch's length does not count. */
const BATCH_HEADER_BYTES = 61;
const UNCOUNTED_BYTES = 12;
/** Where a batch's checksum is, and from where on it counts. */
const CHECKSUM_AT = 17;
const CHECKED_FROM = 21;
/** Attribute bits of a batch. */
const COMPRESSION = 0b111;
const LOG_APPEND_TIME = 0b1000;
const TRANSACTIONAL = 0b1_0000;
const CONTROL = 0b10_0000;
const ABORT = 0;

const NONE: readonly FetchedRecord[] = [];

/**
 * Reads the response to a Fetch request, versions 7 to 11 (https://kafka.apache.org/protocol#The_Messages_Fetch), with
 * record batches of magic 2. Records below the requested offset and those of aborted transactions are left out; a batch that
 * cannot be read is one record, which stands in nobody's way. Decoding
 * them here takes a fraction of the time that kafkajs's own decoder needs.
 *
 *     response  = throttle error session *topic
 *     topic     = name *partition
 *     partition = number error high_watermark stable_offset start_offset *aborted [replica] length *batch
 */
export function readFetch(raw: Buffer, version: number, requested: readonly PartitionOffset[]): FetchResult[] {
  const reader = new ByteReader(raw, 4);
  const responseError = errorOfCode(reader.int16());
  if (responseError !== undefined) throw responseError;
  reader.at += 4;
  const from = new Map(requested.map((each) => [partitionKey(each), each.offset]));
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
      const offset = from.get(partitionKey({ topic, partition })) ?? 0;
      if (length === 0) {
        results.push({ topic, partition, error, highWatermark, records: NONE, next: offset });
        continue;
      }
      const batches = new Batches(raw.subarray(reader.at, reader.at + length), offset, aborted);
      reader.at += length;
      const { records, next, damaged } = batches;
      results.push({ topic, partition, error, highWatermark, records, next, damaged });
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

/** Reads the records of a partition's batches, from an offset on. */
class Batches {
  readonly records: FetchedRecord[] = [];
  /** The offset after the last batch, even where compaction has removed its last records. */
  next: number;
  /** Whether the first batch is not as its checksum says. */
  damaged = false;
  readonly #from: number;
  readonly #aborted: Aborted[];
  /** Producers whose current transaction ends with an abort. */
  readonly #aborting = new Set<number>();

  constructor(bytes: Buffer, from: number, aborted: Aborted[]) {
    this.#from = from;
    this.next = from;
    this.#aborted = aborted;
    for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length; ) {
      const end = at + UNCOUNTED_BYTES + bytes.readInt32BE(at + 8);
      // The request's byte limit may have cut off the last one; a length that is too small is damaged.
      if (end > bytes.length || end < at + BATCH_HEADER_BYTES) break;
      const batch = bytes.subarray(at, end);
      if (isDamaged(batch)) {
        // It may be whole when it is fetched again, which must not cost what comes before it.
        if (at === 0) this.#damaged(batch);
        break;
      }
      this.#batch(batch);
      at = end;
    }
  }

  #batch(batch: Buffer): void {
    const reader = new ByteReader(batch);
    const base = reader.int64();
    const magic = batch.readInt8(16);
    if (magic !== 2) {
      this.next = Math.max(this.next, base + 1);
      this.#unreadable(batch, base, -1, `its format ${magic} is too old`);
      return;
    }
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
    const logAppendTime = (attributes & LOG_APPEND_TIME) !== 0;
    const before = this.records.length;
    try {
      const records = uncompressed(batch, attributes & COMPRESSION);
      for (let index = 0; index < count; index += 1)
        this.#record(records, base, logAppendTime ? latestTime : firstTime, logAppendTime);
    } catch (error) {
      this.records.length = before;
      this.#unreadable(batch, last, latestTime, error instanceof Error ? error.message : String(error));
    }
  }

  #damaged(batch: Buffer): void {
    const reader = new ByteReader(batch);
    const base = reader.int64();
    reader.at = 23;
    // What the batch says of itself may be what is damaged.
    const last = Math.max(base + Math.max(reader.int32(), 0), this.#from);
    this.damaged = true;
    this.next = last + 1;
    this.#unreadable(batch, last, -1, "its checksum is wrong");
  }

  #unreadable(batch: Buffer, offset: number, time: number, problem: string): void {
    if (offset < this.#from) return;
    this.records.push({ offset, time, key: null, value: batch, headers: {}, unreadable: problem });
  }

  #record(reader: ByteReader, base: number, baseTime: number, logAppendTime: boolean): void {
    const length = reader.varint();
    const end = reader.at + length;
    reader.at += 1;
    const timeDelta = reader.varint();
    const offset = base + reader.varint();
    // A broker sends whole batches, which may begin below the requested offset.
    if (offset >= this.#from) {
      const time = logAppendTime ? baseTime : baseTime + timeDelta;
      const key = reader.bytes();
      const value = reader.bytes();
      const headersAt = reader.at;
      const headers = readHeaders(reader);
      const record = { offset, time, key, value, headers, headerBytes: reader.at - headersAt };
      this.records.push(logAppendTime ? record : { ...record, timeIsClaimed: true });
    }
    reader.at = end;
  }
}

/** Batches of older formats have their checksums elsewhere. */
function isDamaged(batch: Buffer): boolean {
  return batch.readInt8(16) === 2 && crc32c(batch, CHECKED_FROM, batch.length) !== batch.readUInt32BE(CHECKSUM_AT);
}

/** Values stay bytes, except the event's name, of which there are few. A header that comes more than once is a list. */
function readHeaders(reader: ByteReader): Record<string, unknown> {
  const headers: Record<string, unknown> = {};
  for (let count = reader.varint(); count > 0; count -= 1) {
    const name = reader.text();
    const value = name === HEADER.type ? nameIn(reader) : reader.bytes();
    // Assigning this one would replace the object's prototype.
    if (name === "__proto__") continue;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else headers[name] = [before, value];
  }
  return headers;
}

function nameIn(reader: ByteReader): string | undefined {
  // 1 is the encoded length -1: no value.
  return reader.buffer[reader.at] === 1 ? (reader.bytes() ?? undefined)?.toString() : reader.text();
}

function controlType(reader: ByteReader): number {
  reader.varint();
  reader.at += 1;
  reader.varint();
  reader.varint();
  return reader.bytes()?.readInt16BE(2) ?? -1;
}

/** @throws Error for what cannot be decompressed */
function uncompressed(batch: Buffer, compression: number): ByteReader {
  if (compression === 0) return new ByteReader(batch, BATCH_HEADER_BYTES);
  try {
    return new ByteReader(decompress(compression, batch.subarray(BATCH_HEADER_BYTES)));
  } catch (error) {
    throw new Error(`${compressionName(compression)}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
