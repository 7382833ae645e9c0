import { NOW } from "./fragments/clock.ts";
import { TAILS } from "./fragments/tails.ts";
import { Script } from "./script.ts";

/**
 * Gives a sign of a tail's reader, and removes what it has read, which leaves room for more.
 *
 * KEYS  1 version, 2 tails, 3 the tail's stream, 4 its state
 * ARGV  1 a version never used before, 2 the tail, 3 its patterns, separated by blanks, 4 after how many milliseconds without a
 *       sign of its reader it ends, 5 how many bytes were read, 6 the id that follows the last entry read, or ''
 * Reply { 1 if there is such a tail, else 0; how many events were dropped since the last sign }
 */
export const keepTail = new Script(
  "keep-tail",
  "runs-when-full",
  `
${NOW}
${TAILS}
local dropped = redis.call('HGET', state, 'dropped')
if not dropped or redis.call('EXISTS', stream) == 0 then
  return { 0, 0 }
end
if ARGV[6] ~= '' then
  redis.call('XTRIM', stream, 'MINID', ARGV[6])
  redis.call('HINCRBY', state, 'room', ARGV[5])
end
redis.call('HSET', state, 'dropped', 0)
register()
return { 1, tonumber(dropped) }
`,
);
