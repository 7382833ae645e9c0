import { HEADER } from "@papa-events/core/transport";
import type { ChannelModel } from "amqplib";

/** What amqplib's types leave out: how it reads a frame from the bytes that have come. */
interface Internals {
  rest?: Buffer;
  recvFrame?(): unknown;
}

const FRAME_HEADER_BYTES = 7;
const CONTENT_HEADER = 2;
/** Where the flags of a content header stand: behind its class, its weight and the body's size. */
const FLAGS_AT = 12;
const CONTENT_TYPE = 1 << 15;
const CONTENT_ENCODING = 1 << 14;
const HEADERS = 1 << 13;

/**
 * Keeps one message from ending the connection: amqplib decodes a table by calling itself, and some nine thousand lists
 * in one another are too many. Everybody may send such a header, and it would come again at each reconnect. So where a
 * table cannot be decoded, the message comes without it, and says so. If amqplib's internals have changed, nothing
 * happens.
 */
export function tolerateHeaders(model: ChannelModel): void {
  const connection = model.connection as unknown as Internals;
  const { recvFrame } = connection;
  if (recvFrame === undefined || !Buffer.isBuffer(connection.rest)) return;
  connection.recvFrame = () => {
    const before = connection.rest;
    try {
      return recvFrame.call(connection);
    } catch (error) {
      const frame = before === undefined ? undefined : withoutTable(before);
      if (frame === undefined || connection.rest === undefined) throw error;
      connection.rest = Buffer.concat([frame, connection.rest]);
      return recvFrame.call(connection);
    }
  };
}

/** Makes a content header's frame anew, with a table that only names what is missing; `undefined` if the bytes begin with another frame. */
function withoutTable(bytes: Buffer): Buffer | undefined {
  if (bytes[0] !== CONTENT_HEADER) return undefined;
  const end = FRAME_HEADER_BYTES + bytes.readUInt32BE(3);
  const payload = bytes.subarray(FRAME_HEADER_BYTES, end);
  const flags = payload.readUInt16BE(FLAGS_AT);
  if ((flags & HEADERS) === 0) return undefined;
  let table = FLAGS_AT + 2;
  for (const flag of [CONTENT_TYPE, CONTENT_ENCODING]) if ((flags & flag) !== 0) table += 1 + (payload[table] ?? 0);
  const rest = payload.subarray(table + 4 + payload.readUInt32BE(table));
  const changed = Buffer.concat([payload.subarray(0, table), TABLE, rest]);
  const head = Buffer.from(bytes.subarray(0, FRAME_HEADER_BYTES));
  head.writeUInt32BE(changed.length, 3);
  return Buffer.concat([head, changed, bytes.subarray(end, end + 1)]);
}

/** One text: that all headers are dropped. */
const TABLE = (() => {
  const name = Buffer.from(HEADER.dropped);
  const value = Buffer.from("all");
  const lengths = [Buffer.alloc(4), Buffer.alloc(4)] as const;
  lengths[0].writeUInt32BE(1 + name.length + 1 + 4 + value.length);
  lengths[1].writeUInt32BE(value.length);
  return Buffer.concat([lengths[0], Buffer.from([name.length]), name, Buffer.from("S"), lengths[1], value]);
})();
