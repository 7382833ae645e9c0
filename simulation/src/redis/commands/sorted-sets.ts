import type { Database } from "../database.ts";
import { RedisError, type Reply } from "../reply.ts";
import { type Arguments, type Command, scoreText, toScore } from "./command.ts";

type Member = readonly [member: string, score: number];

/** Commands on sorted sets. */
export const sortedSetCommands: Readonly<Record<string, Command>> = {
  ZADD: (database, args) =>
    database.writeSortedSet(args.next(), (scores) => {
      const onlyNew = args.takes("NX");
      let added = 0;
      do {
        const [score, member] = [args.float(), args.next()];
        if (!scores.has(member)) added += 1;
        if (!onlyNew || !scores.has(member)) scores.set(member, score);
      } while (args.left > 0);
      return added;
    }),
  ZREM: (database, args) =>
    database.writeSortedSet(args.next(), (scores) => args.rest().filter((member) => scores.delete(member)).length),
  ZCARD: (database, args) => database.sortedSet(args.next())?.scores.size ?? 0,
  ZSCORE: (database, args) => {
    const score = database.sortedSet(args.next())?.scores.get(args.next());
    return score === undefined ? null : scoreText(score);
  },
  ZCOUNT: (database, args) => {
    const members = membersOf(database, args);
    const [from, to] = [boundOf(args.next()), boundOf(args.next())];
    return members.filter(([, score]) => from.admitsAbove(score) && to.admitsBelow(score)).length;
  },
  ZRANGE: (database, args) => byRank(membersOf(database, args), args),
  ZREVRANGE: (database, args) => byRank(membersOf(database, args).reverse(), args),
  ZRANGEBYSCORE: (database, args) => {
    const members = membersOf(database, args);
    const [from, to] = [boundOf(args.next()), boundOf(args.next())];
    return limited(
      members.filter(([, score]) => from.admitsAbove(score) && to.admitsBelow(score)),
      args,
    );
  },
  ZREVRANGEBYSCORE: (database, args) => {
    const members = membersOf(database, args).reverse();
    const [to, from] = [boundOf(args.next()), boundOf(args.next())];
    return limited(
      members.filter(([, score]) => from.admitsAbove(score) && to.admitsBelow(score)),
      args,
    );
  },
};

function membersOf(database: Database, args: Arguments): Member[] {
  return database.sortedSet(args.next())?.sorted() ?? [];
}

function byRank(members: readonly Member[], args: Arguments): Reply {
  const [from, to] = [args.integer(), args.integer()];
  const at = (index: number) => (index < 0 ? Math.max(0, members.length + index) : index);
  const end = to < 0 ? members.length + to : to;
  return shown(members.slice(at(from), end + 1), args.takes("WITHSCORES"));
}

function limited(members: readonly Member[], args: Arguments): Reply {
  const withScores = args.takes("WITHSCORES");
  if (!args.takes("LIMIT")) return shown(members, withScores);
  const [offset, count] = [args.integer(), args.integer()];
  return shown(count < 0 ? members.slice(offset) : members.slice(offset, offset + count), withScores);
}

function shown(members: readonly Member[], withScores: boolean): Reply {
  return withScores
    ? members.flatMap(([member, score]) => [member, scoreText(score)])
    : members.map(([member]) => member);
}

function boundOf(text: string) {
  const exclusive = text.startsWith("(");
  const bound = toScore(exclusive ? text.slice(1) : text);
  if (Number.isNaN(bound)) throw new RedisError("ERR min or max is not a float");
  return {
    admitsAbove: (score: number) => (exclusive ? score > bound : score >= bound),
    admitsBelow: (score: number) => (exclusive ? score < bound : score <= bound),
  };
}
