import { NOW } from "./fragments/clock.ts";
import { Script } from "./script.ts";

/**
 * Removes a use case: its bindings, declarations, pause, queue, waiting events, and, if so asked, its dead letters (R9). Remembers
 * for a week that it was removed, so that an instance which still runs it makes nothing of it anew.
 *
 * KEYS  1 version, 2 bindings, 3 declarations, 4 removed, 5 use-cases, 6 paused, 7 queue, 8 leases, 9 due, 10 waiting,
 *       11 trials, 12 dead, 13 dead-order
 * ARGV  1 a version never used before, 2 the use case, 3 'keep' or 'purge' for its dead letters
 * Reply 1 if there was anything of it, else 0
 */
export const removeUseCase = new Script(
  "remove-use-case",
  "runs-when-full",
  `
${NOW}
local WEEK_MS = 604800000
local present = now()
local removed = 0
for hash = 2, 3 do
  for _, field in ipairs(redis.call('HKEYS', KEYS[hash])) do
    if string.sub(field, 1, #ARGV[2] + 1) == ARGV[2] .. ' ' then
      removed = removed + redis.call('HDEL', KEYS[hash], field)
    end
  end
end
for key = 7, ARGV[3] == 'purge' and 13 or 11 do
  removed = removed + redis.call('UNLINK', KEYS[key])
end
if redis.call('EXISTS', KEYS[12]) == 0 then
  redis.call('HDEL', KEYS[5], ARGV[2])
else
  -- Its dead letters are to be found.
  redis.call('HSETNX', KEYS[5], ARGV[2], string.format('%.0f', present))
end
redis.call('HDEL', KEYS[6], ARGV[2])
if removed == 0 then
  return 0
end
local all = redis.call('HGETALL', KEYS[4])
for at = 1, #all, 2 do
  if (tonumber(all[at + 1]) or 0) < present - WEEK_MS then
    redis.call('HDEL', KEYS[4], all[at])
  end
end
redis.call('HSET', KEYS[4], ARGV[2], string.format('%.0f', present))
redis.call('SET', KEYS[1], ARGV[1])
return 1
`,
);
