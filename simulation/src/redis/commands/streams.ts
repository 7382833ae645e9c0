import { RedisError, type Reply, syntaxError } from "../reply.ts";
import { Stream, type StreamEntry } from "../stream.ts";
import { compareIds, idText, MIN_ID, parseFrom, parseId, parseTo, type StreamId } from "../stream-id.ts";
import type { Arguments, Command } from "./command.ts";

/** Commands on streams, but for groups and for those that may wait. */
export const streamCommands: Readonly<Record<string, Command>> = {
  XADD: (database, args) => {
    const key = args.next();
    const stream = database.stream(key) ?? new Stream();
    const limit = maxLength(args);
    const id = newId(stream, args.next(), database.now);
    const fields = args.rest();
    if (fields.length === 0 || fields.length % 2 === 1)
      throw new RedisError("ERR wrong number of arguments for 'xadd'");
    stream.add({ id, fields });
    trim(stream, limit);
    database.set(key, stream);
    return idText(id);
  },
  XTRIM: (database, args) => {
    const key = args.next();
    const stream = database.stream(key);
    const limit = maxLength(args);
    if (stream === undefined) return 0;
    database.set(key, stream);
    return trim(stream, limit);
  },
  XLEN: (database, args) => database.stream(args.next())?.length ?? 0,
  XDEL: (database, args) => {
    const key = args.next();
    const stream = database.stream(key);
    if (stream === undefined) return 0;
    database.set(key, stream);
    return args.rest().filter((id) => stream.delete(parseId(id, 0))).length;
  },
  XRANGE: (database, args) => {
    const stream = database.stream(args.next());
    const [from, to] = [parseFrom(args.next()), parseTo(args.next())];
    const limit = args.takes("COUNT") ? args.integer() : Number.POSITIVE_INFINITY;
    args.end();
    return stream?.between(from, to, limit).map(entryReply) ?? [];
  },
};

export function entryReply({ id, fields }: StreamEntry): Reply {
  return [idText(id), [...fields]];
}

function newId(stream: Stream, text: string, now: number): StreamId {
  const { lastId } = stream;
  if (text !== "*") {
    const id = parseId(text, 0);
    if (compareIds(id, lastId) > 0 && compareIds(id, MIN_ID) > 0) return id;
    throw new RedisError("ERR The ID specified in XADD is equal or smaller than the target stream top item");
  }
  const ms = Math.floor(now);
  return ms > lastId.ms ? { ms, seq: 0 } : { ms: lastId.ms, seq: lastId.seq + 1 };
}

function maxLength(args: Arguments): number {
  if (!args.takes("MAXLEN")) return Number.POSITIVE_INFINITY;
  if (!args.takes("~")) args.takes("=");
  const limit = args.integer();
  if (limit < 0) throw syntaxError();
  return limit;
}

function trim(stream: Stream, limit: number): number {
  let deleted = 0;
  for (const { id } of [...stream.entries()]) {
    if (stream.length <= limit) break;
    if (stream.delete(id)) deleted += 1;
  }
  return deleted;
}
