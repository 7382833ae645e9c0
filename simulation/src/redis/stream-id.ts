import { RedisError } from "./reply.ts";

/** The id of an entry: milliseconds and a number. */
export interface StreamId {
  readonly ms: number;
  readonly seq: number;
}

export const MIN_ID: StreamId = { ms: 0, seq: 0 };
export const MAX_ID: StreamId = { ms: Number.MAX_SAFE_INTEGER, seq: Number.MAX_SAFE_INTEGER };

export function idText({ ms, seq }: StreamId): string {
  return `${ms}-${seq}`;
}

export function compareIds(one: StreamId, other: StreamId): number {
  return one.ms - other.ms || one.seq - other.seq;
}

/** @param seq the number where the text has none */
export function parseId(text: string, seq: number): StreamId {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null) throw new RedisError("ERR Invalid stream ID specified as stream command argument");
  return { ms: Number(match[1]), seq: match[2] === undefined ? seq : Number(match[2]) };
}

/** The start of a range: `-`, an id, or `(` and an id. */
export function parseFrom(text: string): StreamId {
  if (text === "-") return MIN_ID;
  if (text === "+") return MAX_ID;
  if (!text.startsWith("(")) return parseId(text, 0);
  const { ms, seq } = parseId(text.slice(1), 0);
  return { ms, seq: seq + 1 };
}

/** The end of a range. */
export function parseTo(text: string): StreamId {
  if (text === "+") return MAX_ID;
  if (text === "-") return MIN_ID;
  if (!text.startsWith("(")) return parseId(text, MAX_ID.seq);
  const { ms, seq } = parseId(text.slice(1), 0);
  return seq > 0 ? { ms, seq: seq - 1 } : { ms: ms - 1, seq: MAX_ID.seq };
}
