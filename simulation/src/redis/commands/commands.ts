import type { Command } from "./command.ts";
import { groupCommands } from "./groups.ts";
import { hashCommands } from "./hashes.ts";
import { keyCommands } from "./keys.ts";
import { sortedSetCommands } from "./sorted-sets.ts";
import { streamCommands } from "./streams.ts";

/** All commands that scripts may call and that a client may send, besides those that have to do with connections. */
export const commands: Readonly<Record<string, Command>> = {
  ...keyCommands,
  ...hashCommands,
  ...sortedSetCommands,
  ...streamCommands,
  ...groupCommands,
};

/** What needs memory: a full server refuses it. */
export const NEEDS_MEMORY: ReadonlySet<string> = new Set("HINCRBY HSET HSETNX SET XADD XCLAIM XGROUP ZADD".split(" "));

/** What changes nothing. */
export const READS_ONLY: ReadonlySet<string> = new Set(
  "EXISTS GET HEXISTS HGET HGETALL HKEYS HLEN HMGET HVALS PING TIME TYPE XINFO XLEN XPENDING XRANGE ZCARD ZCOUNT ZRANGE ZRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE ZSCORE".split(
    " ",
  ),
);
