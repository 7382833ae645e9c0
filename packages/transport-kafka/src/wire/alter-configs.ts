import { ByteReader } from "./byte-reader.ts";

/** The version of the IncrementalAlterConfigs request; since Kafka 2.3. kafkajs knows none. */
export const ALTER_CONFIGS_VERSION = 0;

const TOPIC = 2;
const SET = 0;

/**
 * Encodes the body of an IncrementalAlterConfigs request that sets one setting of a topic and leaves the others
 * (https://kafka.apache.org/protocol#The_Messages_IncrementalAlterConfigs).
 *
 *     body     = *resource validate_only
 *     resource = type name *(name operation value)
 */
export function encodeAlterConfig(topic: string, name: string, value: string): Buffer {
  return Buffer.concat([
    int32(1),
    Buffer.of(TOPIC),
    text(topic),
    int32(1),
    text(name),
    Buffer.of(SET),
    text(value),
    Buffer.of(0),
  ]);
}

/**
 * Reads the error of the response to it.
 *
 *     response = throttle *(error message type name)
 */
export function readAlteredConfig(raw: Buffer): number {
  const reader = new ByteReader(raw, 4 + 4);
  return reader.int16();
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
