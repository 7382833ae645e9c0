import { ByteReader } from "./byte-reader.ts";

/** The version of the DescribeGroups request that tells what the account may do; since Kafka 2.3. kafkajs knows none. */
export const DESCRIBE_GROUPS_VERSION = 3;

interface RawGroupDescription {
  readonly errorCode: number;
  readonly state: string;
  readonly members: number;
  /** A bit for each operation that is allowed. */
  readonly operations: number;
}

/**
 * Encodes the body of a DescribeGroups request for one group (https://kafka.apache.org/protocol#The_Messages_DescribeGroups).
 *
 *     body = *group with_operations
 */
export function encodeDescribeGroup(group: string): Buffer {
  const name = Buffer.from(group);
  const body = Buffer.alloc(4 + 2 + name.length + 1);
  body.writeInt32BE(1, 0);
  body.writeInt16BE(name.length, 4);
  name.copy(body, 6);
  body[body.length - 1] = 1;
  return body;
}

/**
 * Reads the response to it.
 *
 *     response = throttle *(error group state protocol_type protocol *member operations)
 *     member   = id client host metadata assignment
 */
export function readGroupDescription(raw: Buffer): RawGroupDescription {
  const reader = new ByteReader(raw, 4);
  reader.at += 4;
  const errorCode = reader.int16();
  reader.string();
  const state = reader.string();
  reader.string();
  reader.string();
  const members = reader.int32();
  for (let left = members; left > 0; left -= 1) {
    for (let texts = 0; texts < 3; texts += 1) reader.string();
    for (let blobs = 0; blobs < 2; blobs += 1) {
      const size = reader.int32();
      reader.at += Math.max(size, 0);
    }
  }
  return { errorCode, state, members, operations: reader.int32() };
}
