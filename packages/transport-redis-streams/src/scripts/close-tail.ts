import { NOW } from "./fragments/clock.ts";
import { TAILS } from "./fragments/tails.ts";
import { Script } from "./script.ts";

/**
 * Ends a tail, and removes all that it needed.
 *
 * KEYS  1 version, 2 tails, 3 the tail's stream, 4 its state
 * ARGV  1 a version never used before, 2 the tail, 3 its patterns, 4 for how many milliseconds a version is kept where nothing
 *       is declared
 * Reply 1
 */
export const closeTail = new Script(
  "close-tail",
  "runs-when-full",
  `
${NOW}
${TAILS}
redis.call('HDEL', tails, id)
redis.call('UNLINK', stream, state)
if redis.call('EXISTS', tails) == 0 and nothing_declared(version) then
  redis.call('DEL', version)
else
  change_version(version, new, ttl)
end
return 1
`,
);
