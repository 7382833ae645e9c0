import { Script } from "./script.ts";

/**
 * Counts the events of a use case in one step.
 *
 * KEYS  1 queue, 2 due, 3 dead
 * ARGV  1 the group, 2 the consumer that holds released entries
 * Reply { ready, in flight, waiting, dead }; nothing if there is neither a queue nor a dead letter
 */
export const inspect = new Script(
  "inspect",
  "reads-only",
  `
if redis.call('EXISTS', KEYS[1], KEYS[3]) == 0 then
  return false
end
local length, pending, released = redis.call('XLEN', KEYS[1]), 0, 0
local all = redis.pcall('XPENDING', KEYS[1], ARGV[1])
if not all.err and all[1] > 0 then
  pending = all[1]
  for _, each in ipairs(all[4]) do
    if each[1] == ARGV[2] or string.sub(each[1], 1, #ARGV[2] + 1) == ARGV[2] .. ' ' then
      released = released + tonumber(each[2])
    end
  end
end
return { math.max(0, length - pending + released), pending - released, redis.call('ZCARD', KEYS[2]), redis.call('HLEN', KEYS[3]) }
`,
);
