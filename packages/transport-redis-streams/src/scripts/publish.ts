import { FAN_OUT } from "./fragments/fan-out.ts";
import { Script } from "./script.ts";

/**
 * Stores events in the queue of every use case they go to, if the bindings are still those the caller matched with
 * (R1 to R3). Notes that it has done so, for a caller that never gets the reply.
 *
 * KEYS  1 version, 2 the publisher's calls, then queues
 * ARGV  1 the version the caller knows, 2 the call's slot, 3 its number, 4 for how many milliseconds to keep the notes from now
 *       on, or '', then arguments of fan_out
 * Reply 0; -1 if the bindings have changed and nothing was stored
 */
export const publish = new Script(
  "publish",
  "refused-when-full",
  `
${FAN_OUT}
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return -1
end
local problem = check_queues(3)
if problem then
  return problem
end
fan_out(5, #ARGV)
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
if ARGV[4] ~= '' then
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
return 0
`,
);
