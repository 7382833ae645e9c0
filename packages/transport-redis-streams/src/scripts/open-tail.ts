import { NOW } from "./fragments/clock.ts";
import { TAILS } from "./fragments/tails.ts";
import { Script } from "./script.ts";

/**
 * Begins a tail: from now on publishers add a copy of what matches its patterns to its stream, for as many bytes as there is
 * room.
 *
 * KEYS  1 version, 2 tails, 3 the tail's stream, 4 its state
 * ARGV  1 a version never used before, 2 the tail, 3 its patterns, separated by blanks, 4 after how many milliseconds without a
 *       sign of its reader it ends, 5 for how many bytes there is room
 * Reply 1
 */
export const openTail = new Script(
  "open-tail",
  "refused-when-full",
  `
${NOW}
${TAILS}
redis.call('XDEL', stream, redis.call('XADD', stream, '*', 'e', ''))
redis.call('HSET', state, 'room', ARGV[5], 'dropped', 0)
register()
return 1
`,
);
