import type { Database } from "../database.ts";
import { OK, RedisError, type Reply, syntaxError } from "../reply.ts";
import { type PendingEntry, Stream, StreamGroup } from "../stream.ts";
import { idText, MIN_ID, parseFrom, parseId, parseTo } from "../stream-id.ts";
import type { Arguments, Command } from "./command.ts";
import { entryReply } from "./streams.ts";

/** Commands on consumer groups, but for those that may wait. */
export const groupCommands: Readonly<Record<string, Command>> = {
  XGROUP: (database, args) => {
    if (args.takes("CREATE")) return create(database, args);
    if (args.takes("DELCONSUMER")) {
      const key = args.next();
      const group = groupOf(database, key, args.next());
      const consumer = args.next();
      const pending = group.ofConsumer(consumer);
      for (const { id } of pending) group.delete(id);
      group.consumers.delete(consumer);
      database.written.add(key);
      return pending.length;
    }
    throw new RedisError("ERR unknown subcommand of XGROUP");
  },
  XINFO: (database, args) => {
    if (!args.takes("GROUPS")) throw new RedisError("ERR unknown subcommand of XINFO");
    const stream = database.stream(args.next());
    if (stream === undefined) throw new RedisError("ERR no such key");
    return [...stream.groups].map(([name, group]) => [
      ...["name", name, "consumers", group.consumers.size, "pending", group.size],
      ...["last-delivered-id", idText(group.lastDelivered)],
      ...["lag", stream.after(group.lastDelivered, Number.POSITIVE_INFINITY).length],
    ]);
  },
  XACK: (database, args) => {
    const key = args.next();
    const group = database.stream(key)?.groups.get(args.next());
    if (group === undefined) return 0;
    database.written.add(key);
    return args.rest().filter((id) => group.delete(parseId(id, 0))).length;
  },
  XPENDING: (database, args) => {
    const group = groupOf(database, args.next(), args.next());
    if (args.left === 0) return summary(group);
    const [from, to, count] = [parseFrom(args.next()), parseTo(args.next()), args.integer()];
    const consumer = args.left > 0 ? args.next() : undefined;
    return group
      .between(from, to)
      .filter((entry) => consumer === undefined || entry.consumer === consumer)
      .slice(0, Math.max(0, count))
      .map(({ id, consumer: owner, deliveredAt, deliveries }) => [
        idText(id),
        owner,
        Math.max(0, Math.floor(database.now - deliveredAt)),
        deliveries,
      ]);
  },
  XCLAIM: (database, args) => claim(database, args),
};

/** @throws RedisError where the key is no stream or has no such group */
function groupOf(database: Database, key: string, name: string): StreamGroup {
  const group = database.stream(key)?.groups.get(name);
  if (group !== undefined) return group;
  throw new RedisError(`NOGROUP No such key '${key}' or consumer group '${name}'`);
}

function create(database: Database, args: Arguments): Reply {
  const [key, name, after] = [args.next(), args.next(), args.next()];
  const makes = args.takes("MKSTREAM");
  const stream = database.stream(key) ?? (makes ? new Stream() : undefined);
  if (stream === undefined)
    throw new RedisError(
      "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want MKSTREAM.",
    );
  if (stream.groups.has(name)) throw new RedisError("BUSYGROUP Consumer Group name already exists");
  if (database.get(key) === undefined) database.set(key, stream);
  stream.groups.set(name, new StreamGroup(after === "$" ? stream.lastId : parseId(after, 0)));
  database.written.add(key);
  return OK;
}

function summary(group: StreamGroup): Reply {
  const all = group.between(MIN_ID, { ms: Infinity, seq: 0 });
  const [first] = all;
  const last = all.at(-1);
  if (first === undefined || last === undefined) return [0, null, null, null];
  const counts = new Map<string, number>();
  for (const { consumer } of all) counts.set(consumer, (counts.get(consumer) ?? 0) + 1);
  const byName = [...counts].sort(([one], [other]) => (one < other ? -1 : 1));
  return [all.length, idText(first.id), idText(last.id), byName.map(([name, count]) => [name, String(count)])];
}

function claim(database: Database, args: Arguments): Reply {
  const [key, name, consumer, minIdle] = [args.next(), args.next(), args.next(), args.integer()];
  const group = groupOf(database, key, name);
  const stream = database.stream(key);
  const ids: string[] = [];
  while (args.left > 0 && !/^(?:IDLE|TIME|RETRYCOUNT|FORCE|JUSTID)$/.test(args.word)) ids.push(args.next());
  let [retryCount, force, justId]: [number | undefined, boolean, boolean] = [undefined, false, false];
  while (args.left > 0) {
    if (args.takes("RETRYCOUNT")) retryCount = args.integer();
    else if (args.takes("FORCE")) force = true;
    else if (args.takes("JUSTID")) justId = true;
    else throw syntaxError();
  }
  const claimed: Reply[] = [];
  for (const text of ids) {
    const id = parseId(text, 0);
    const entry = stream?.get(id);
    let pending: PendingEntry | undefined = group.get(id);
    if (entry === undefined) {
      // The server forgets that it was handed out.
      if (pending !== undefined) group.delete(id);
      continue;
    }
    if (pending === undefined && force) {
      pending = { id, consumer, deliveredAt: database.now, deliveries: 0 };
      group.add(pending);
    }
    if (pending === undefined || database.now - pending.deliveredAt < minIdle) continue;
    pending.consumer = consumer;
    pending.deliveredAt = database.now;
    if (retryCount !== undefined) pending.deliveries = retryCount;
    else if (!justId) pending.deliveries += 1;
    claimed.push(justId ? text : entryReply(entry));
  }
  group.consumers.add(consumer);
  database.written.add(key);
  return claimed;
}
