import type { Command } from "./command.ts";

/** Commands on hashes. */
export const hashCommands: Readonly<Record<string, Command>> = {
  HGET: (database, args) => database.hash(args.next())?.fields.get(args.next()) ?? null,
  HMGET: (database, args) => {
    const fields = database.hash(args.next())?.fields;
    return args.rest().map((field) => fields?.get(field) ?? null);
  },
  HGETALL: (database, args) => [...(database.hash(args.next())?.fields ?? [])].flat(),
  HKEYS: (database, args) => [...(database.hash(args.next())?.fields.keys() ?? [])],
  HVALS: (database, args) => [...(database.hash(args.next())?.fields.values() ?? [])],
  HLEN: (database, args) => database.hash(args.next())?.fields.size ?? 0,
  HEXISTS: (database, args) => (database.hash(args.next())?.fields.has(args.next()) === true ? 1 : 0),
  HSET: (database, args) =>
    database.writeHash(args.next(), (fields) => {
      let added = 0;
      do {
        const [field, value] = [args.next(), args.next()];
        if (!fields.has(field)) added += 1;
        fields.set(field, value);
      } while (args.left > 0);
      return added;
    }),
  HSETNX: (database, args) =>
    database.writeHash(args.next(), (fields) => {
      const [field, value] = [args.next(), args.next()];
      if (fields.has(field)) return 0;
      fields.set(field, value);
      return 1;
    }),
  HINCRBY: (database, args) =>
    database.writeHash(args.next(), (fields) => {
      const field = args.next();
      const sum = Number(fields.get(field) ?? 0) + args.integer();
      fields.set(field, String(sum));
      return sum;
    }),
  HDEL: (database, args) =>
    database.writeHash(args.next(), (fields) => args.rest().filter((field) => fields.delete(field)).length),
};
