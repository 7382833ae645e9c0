import { NOW } from "./fragments/clock.ts";
import { Script } from "./script.ts";

/**
 * Reads what an operator may want to know of one use case.
 *
 * KEYS  1 queue, 2 leases, 3 due, 4 trials
 * ARGV  1 the group
 * Reply { 1 if it has its queue and group, else 0; how many consumers live; how many events are in the queue; how many wait; for
 *         how many milliseconds the first of those has been due, or -1; how many are suspects; how many groups read the
 *         queue }
 */
export const lookAtUseCase = new Script(
  "look-at-use-case",
  "reads-only",
  `
${NOW}
local present = now()
local found, groups = 0, redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err then
  groups = {}
end
for _, each in ipairs(groups) do
  for at = 1, #each, 2 do
    if each[at] == 'name' and each[at + 1] == ARGV[1] then
      found = 1
    end
  end
end
local first = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2]
return {
  found,
  redis.call('ZCOUNT', KEYS[2], string.format('%.0f', present), '+inf'),
  redis.call('XLEN', KEYS[1]),
  redis.call('ZCARD', KEYS[3]),
  first and math.floor(math.max(-1, present - tonumber(first))) or -1,
  redis.call('HLEN', KEYS[4]),
  #groups,
}
`,
);
