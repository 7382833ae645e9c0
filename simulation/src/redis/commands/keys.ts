import { Text } from "../database.ts";
import { OK, Status } from "../reply.ts";
import type { Command } from "./command.ts";

/** Commands on keys of any kind, and on strings. */
export const keyCommands: Readonly<Record<string, Command>> = {
  PING: () => new Status("PONG"),
  TIME: ({ now }) => {
    const micros = Math.round(now * 1_000);
    return [String(Math.floor(micros / 1_000_000)), String(micros % 1_000_000)];
  },
  EXISTS: (database, args) => args.rest().filter((key) => database.get(key) !== undefined).length,
  TYPE: (database, args) => new Status(database.get(args.next())?.type ?? "none"),
  DEL: (database, args) => args.rest().filter((key) => database.get(key) !== undefined && database.delete(key)).length,
  UNLINK: (database, args) =>
    args.rest().filter((key) => database.get(key) !== undefined && database.delete(key)).length,
  PEXPIRE: (database, args) => (database.expire(args.next(), args.integer()) ? 1 : 0),
  GET: (database, args) => database.text(args.next())?.value ?? null,
  SET: (database, args) => {
    const [key, value] = [args.next(), args.next()];
    args.end();
    database.delete(key);
    database.set(key, new Text(value));
    return OK;
  },
};
