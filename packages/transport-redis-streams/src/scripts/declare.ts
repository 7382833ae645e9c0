import { NOW } from "./fragments/clock.ts";
import { Script } from "./script.ts";

/**
 * Creates queues, binds patterns, and records that each pattern was declared now (R6). Changes nothing if a key already
 * has another type (L1).
 *
 * KEYS  1 version, 2 bindings, then for each use case: queue, leases, due, waiting, dead, dead-order
 * ARGV  1 a version never used before, 2 the group, then for each use case: its name, n, n patterns
 * Reply empty; or { key, its type, the type it must have } of the first conflict
 */
export const declare = new Script(
  "declare",
  `
${NOW}
local function conflict(key, expected)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= expected then
    return { key, found, expected }
  end
end

local types = { 'stream', 'zset', 'zset', 'hash', 'hash', 'zset' }
local problem = conflict(KEYS[1], 'string') or conflict(KEYS[2], 'hash')
for key = 3, #KEYS do
  problem = problem or conflict(KEYS[key], types[(key - 3) % 6 + 1])
end
if problem then
  return problem
end

local last_seen = string.format('%.0f', now())
local changed = redis.call('EXISTS', KEYS[1]) == 0
local at = 3
for key = 3, #KEYS, 6 do
  -- From the beginning: what is in a queue without a group has not been handled.
  local created = redis.pcall('XGROUP', 'CREATE', KEYS[key], ARGV[2], '0', 'MKSTREAM')
  if created.err and not string.find(created.err, 'BUSYGROUP', 1, true) then
    return created
  end
  local count = tonumber(ARGV[at + 1])
  for pattern = at + 2, at + 1 + count do
    local added = redis.call('HSET', KEYS[2], ARGV[at] .. ' ' .. ARGV[pattern], last_seen)
    changed = changed or added == 1
  end
  at = at + 2 + count
end
if changed then
  redis.call('SET', KEYS[1], ARGV[1])
end
return {}
`,
);
