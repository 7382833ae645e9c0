import { ByteReader } from "./byte-reader.ts";

/** The version of the Metadata request with the topics' ids; since Kafka 2.8. */
export const METADATA_VERSION = 10;
const UUID_BYTES = 16;
/** So many of them are kept, as a number. */
const ID_BYTES = 6;

export interface RawMetadata {
  readonly brokers: readonly { nodeId: number; host: string; port: number }[];
  readonly topicMetadata: readonly {
    topicErrorCode: number;
    topic: string;
    /** Tells a topic from one of the same name that was deleted; absent where the broker tells none. */
    id?: number | undefined;
    partitionMetadata: readonly {
      partitionId: number;
      leader: number;
      /** How many copies there are, and how many of them are in sync. */
      replicas: number;
      inSync: number;
    }[];
    /** A bit for each of the {@link import("./operations.ts").OPERATIONS | operations} that are allowed; absent where it was not asked for. */
    operations?: number | undefined;
  }[];
}

/**
 * Encodes the body of a Metadata request of version 10 (https://kafka.apache.org/protocol#The_Messages_Metadata), which
 * kafkajs does not know, and before it the tags that end the request's header.
 *
 *     body  = tags *topic create_topics cluster_operations topic_operations tags      ; no list of topics: all of them
 *     topic = id name tags
 */
export function encodeMetadata(topics: readonly string[] | "all", withOperations = false): Buffer {
  const none = Buffer.from([0]);
  const parts = [none, topics === "all" ? none : compactLength(topics.length)];
  for (const topic of topics === "all" ? [] : topics) {
    const name = Buffer.from(topic);
    parts.push(Buffer.alloc(UUID_BYTES), compactLength(name.length), name, none);
  }
  parts.push(Buffer.from([0, 0, Number(withOperations), 0]));
  return Buffer.concat(parts);
}

/**
 * Reads the response to it.
 *
 *     response  = tags throttle *broker cluster_id controller *topic operations tags
 *     broker    = node host port rack tags
 *     topic     = error name id internal *partition operations tags
 *     partition = error number leader leader_epoch *replica *in_sync *offline tags
 */
export function readMetadata(raw: Buffer): RawMetadata {
  const reader = new ByteReader(raw);
  skipTags(reader);
  reader.at += 4;
  const brokers = list(reader, () => {
    const broker = { nodeId: reader.int32(), host: compactText(reader), port: reader.int32() };
    compactText(reader);
    skipTags(reader);
    return broker;
  });
  compactText(reader);
  reader.at += 4;
  const topicMetadata = list(reader, () => {
    const topicErrorCode = reader.int16();
    const topic = compactText(reader);
    const id = reader.buffer.readUIntBE(reader.at, ID_BYTES);
    reader.at += UUID_BYTES + 1;
    const partitionMetadata = list(reader, () => {
      reader.at += 2;
      const partitionId = reader.int32();
      const leader = reader.int32();
      reader.at += 4;
      const replicas = skipNumbers(reader);
      const inSync = skipNumbers(reader);
      skipNumbers(reader);
      skipTags(reader);
      return { partitionId, leader, replicas, inSync };
    });
    const operations = reader.int32();
    skipTags(reader);
    return { topicErrorCode, topic, id: id === 0 ? undefined : id, partitionMetadata, operations };
  });
  return { brokers, topicMetadata };
}

function list<T>(reader: ByteReader, read: () => T): T[] {
  return Array.from({ length: Math.max(compactSize(reader), 0) }, read);
}

/** Passes over a list of numbers, and returns how many they are. */
function skipNumbers(reader: ByteReader): number {
  const size = Math.max(compactSize(reader), 0);
  reader.at += 4 * size;
  return size;
}

/** The length of a compact list or text; -1 where there is none. */
function compactSize(reader: ByteReader): number {
  return unsignedVarint(reader) - 1;
}

function compactText(reader: ByteReader): string {
  const size = compactSize(reader);
  return size <= 0 ? "" : reader.buffer.toString("utf8", reader.at, (reader.at += size));
}

function skipTags(reader: ByteReader): void {
  for (let count = unsignedVarint(reader); count > 0; count -= 1) {
    unsignedVarint(reader);
    const size = unsignedVarint(reader);
    reader.at += size;
  }
}

function unsignedVarint(reader: ByteReader): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = reader.buffer.readUInt8(reader.at);
    reader.at += 1;
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
}

function compactLength(length: number): Buffer {
  const bytes: number[] = [];
  let rest = length + 1;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
