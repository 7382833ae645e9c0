import { NOW } from "./fragments/clock.ts";
import { Script } from "./script.ts";

/**
 * Removes a use case: its bindings, declarations, queue, waiting events, and, if so asked, its dead letters (R9). Remembers
 * for a week that it was removed, so that an instance which still runs it makes nothing of it anew.
 *
 * KEYS  1 version, 2 bindings, 3 declarations, 4 removed, 5 queue, 6 leases, 7 due, 8 waiting, 9 trials, 10 dead,
 *       11 dead-order
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
for key = 5, ARGV[3] == 'purge' and 11 or 9 do
  removed = removed + redis.call('UNLINK', KEYS[key])
end
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
