import { COMPRESSIONS, type Compression, compress } from "./compression.ts";
import { crc32c } from "./crc32c.ts";
import type { KafkaRecord, RecordBatch } from "./records.ts";

const BATCH_HEADER_BYTES = 61;
/** The checksum of a batch covers everything from here to its end. */
const CHECKSUM_START = 21;
/** An encoded length takes at most five bytes. */
const MAX_LENGTH_BYTES = 5;
/** Shorter texts are encoded faster by a loop than by a call to the runtime. */
const SHORT_TEXT_LENGTH = 64;

/**
 * Encodes the body of a Produce request, versions 3 to 7, with record batches of magic 2. kafkajs makes several buffers for
 * each record; this writes all records into one.
 *
 *     body   = transactional_id:-1 acks timeout *topic        ; https://kafka.apache.org/protocol#The_Messages_Produce
 *     topic  = name *(partition length batch)
 *     batch  = 0 length epoch magic crc attributes last_offset_delta time time producer:-1 epoch:-1 sequence:-1 *record
 *     record = length 0 time_delta:0 offset_delta key value *(header_key header_value)
 */
export function encodeProduce(topics: Topics, timeout: number): Buffer {
  const writer = new Writer(estimateBytes(topics));
  writer.head(timeout, topics.length);
  for (const { topic, partitions } of topics) {
    writer.topic(topic, partitions.length);
    for (const { partition, records } of partitions) {
      writer.int32(partition);
      writer.batch(records);
    }
  }
  return writer.done();
}

/** As {@link encodeProduce}, with the records of each batch compressed where that makes it smaller. */
export async function encodeCompressedProduce(topics: Topics, timeout: number, how: Compression): Promise<Buffer> {
  const encoded = await Promise.all(
    topics.map(async ({ topic, partitions }) => {
      const batches = partitions.map(async ({ partition, records }) => {
        const batch = await compressed(encodeBatch(records), how);
        return { partition, batch };
      });
      return { topic, partitions: await Promise.all(batches) };
    }),
  );
  const writer = new Writer(estimateBytes(topics));
  writer.head(timeout, encoded.length);
  for (const { topic, partitions } of encoded) {
    writer.topic(topic, partitions.length);
    for (const { partition, batch } of partitions) {
      writer.int32(partition);
      writer.int32(batch.length);
      writer.bytes(batch);
    }
  }
  return writer.done();
}

function encodeBatch(records: readonly KafkaRecord[]): Buffer {
  const writer = new Writer(estimateBytes([{ partitions: [{ records }] }]));
  writer.batch(records);
  return writer.done().subarray(4);
}

async function compressed(batch: Buffer, how: Compression): Promise<Buffer> {
  const records = await compress(how, batch.subarray(BATCH_HEADER_BYTES));
  if (records.length >= batch.length - BATCH_HEADER_BYTES) return batch;
  const smaller = Buffer.concat([batch.subarray(0, BATCH_HEADER_BYTES), records]);
  smaller.writeInt32BE(smaller.length - 12, 8);
  smaller.writeInt16BE(COMPRESSIONS[how], CHECKSUM_START);
  smaller.writeUInt32BE(crc32c(smaller, CHECKSUM_START, smaller.length), CHECKSUM_START - 4);
  return smaller;
}

type Topics = readonly { readonly topic: string; readonly partitions: readonly RecordBatch[] }[];

function estimateBytes(topics: readonly { readonly partitions: readonly Pick<RecordBatch, "records">[] }[]): number {
  let bytes = 256;
  for (const { partitions } of topics)
    for (const { records } of partitions) {
      bytes += 512;
      for (const { value } of records) bytes += 512 + (value?.length ?? 0);
    }
  return bytes;
}

class Writer {
  #buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  done(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  head(timeout: number, topics: number): void {
    this.int16(-1);
    this.int16(-1);
    this.int32(timeout);
    this.int32(topics);
  }

  topic(name: string, partitions: number): void {
    const bytes = Buffer.from(name);
    this.int16(bytes.length);
    this.bytes(bytes);
    this.int32(partitions);
  }

  int16(value: number): void {
    this.#reserve(2);
    this.#at = this.#buffer.writeInt16BE(value, this.#at);
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#at = this.#buffer.writeInt32BE(value, this.#at);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Writes a record batch with its length in front. */
  batch(records: readonly KafkaRecord[]): void {
    const start = this.#at + 4;
    this.#reserve(4 + BATCH_HEADER_BYTES);
    this.#at = start + BATCH_HEADER_BYTES;
    for (const [index, record] of records.entries()) this.#record(record, index);
    const end = this.#at;
    const buffer = this.#buffer;
    const now = BigInt(Date.now());
    buffer.writeInt32BE(end - start, start - 4);
    buffer.writeBigInt64BE(0n, start);
    buffer.writeInt32BE(end - start - 12, start + 8);
    buffer.writeInt32BE(-1, start + 12);
    buffer.writeInt8(2, start + 16);
    buffer.writeInt16BE(0, start + 21);
    buffer.writeInt32BE(records.length - 1, start + 23);
    buffer.writeBigInt64BE(now, start + 27);
    buffer.writeBigInt64BE(now, start + 35);
    buffer.writeBigInt64BE(-1n, start + 43);
    buffer.writeInt16BE(-1, start + 51);
    buffer.writeInt32BE(-1, start + 53);
    buffer.writeInt32BE(records.length, start + 57);
    buffer.writeUInt32BE(crc32c(buffer, start + CHECKSUM_START, end), start + 17);
  }

  #record({ key, value, headers }: KafkaRecord, offsetDelta: number): void {
    // The length comes first but is known last: leave space for the longest one, then move the record up.
    this.#reserve(MAX_LENGTH_BYTES + 16);
    const start = this.#at;
    const body = start + MAX_LENGTH_BYTES;
    this.#at = body;
    this.#buffer[this.#at++] = 0;
    this.#varint(0);
    this.#varint(offsetDelta);
    if (typeof key === "string") this.#text(key);
    else this.#value(key);
    this.#value(value);
    const pairs = pairsOf(headers);
    this.#varint(pairs.length);
    for (const [name, text] of pairs) {
      this.#text(name);
      if (typeof text === "string") this.#text(text);
      else this.#value(text);
    }
    const length = this.#at - body;
    this.#at = start;
    this.#varint(length);
    this.#buffer.copyWithin(this.#at, body, body + length);
    this.#at += length;
  }

  #value(value: Uint8Array | null): void {
    if (value === null) {
      this.#varint(-1);
      return;
    }
    this.#varint(value.length);
    this.bytes(value);
  }

  /** Writes a text in UTF-8 with its length in front. */
  #text(text: string): void {
    const { length } = text;
    this.#reserve(length * 3 + MAX_LENGTH_BYTES);
    const start = this.#at;
    if (length < SHORT_TEXT_LENGTH) {
      // The zigzag encoding of a length below 64 is one byte.
      const buffer = this.#buffer;
      let at = start + 1;
      let index = 0;
      for (; index < length; index += 1) {
        const code = text.charCodeAt(index);
        if (code > 127) break;
        buffer[at++] = code;
      }
      if (index === length) {
        buffer[start] = length * 2;
        this.#at = at;
        return;
      }
    }
    this.#varint(Buffer.byteLength(text));
    this.#at += this.#buffer.write(text, this.#at);
  }

  #varint(value: number): void {
    this.#reserve(MAX_LENGTH_BYTES);
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    while (rest > 127) {
      this.#buffer[this.#at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#buffer[this.#at++] = rest;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes));
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = larger;
  }
}

/** Headers as pairs. One that came more than once was read as a list, and becomes several pairs again. */
function pairsOf(headers: KafkaRecord["headers"]): (readonly [name: string, value: string | Uint8Array | null])[] {
  const pairs: (readonly [string, string | Uint8Array | null])[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) for (const each of value) pairs.push([name, headerValue(each)]);
    else pairs.push([name, headerValue(value)]);
  }
  return pairs;
}

function headerValue(value: unknown): string | Uint8Array | null {
  return typeof value === "string" || value instanceof Uint8Array ? value : null;
}
