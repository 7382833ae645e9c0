import { NOW } from "./fan-out.ts";
import { Script } from "./script.ts";

/**
 * Makes queues and binds patterns, and records each pattern as shown now (R6). Changes nothing where a key is of another
 * type (L1).
 *
 * KEYS  1 version, 2 bindings, then for each use case: queue, leases, due, waiting, dead, dead-order
 * ARGV  1 a version never used before, 2 the group, then for each use case: its name, n, n patterns
 * Reply empty; or { key, its type, the type it should have } of the first that is of another
 */
export const declare = new Script(
  "declare",
  `
${NOW}
local function conflict(key, wanted)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= wanted then
    return { key, found, wanted }
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

local shown = string.format('%.0f', now())
local changed = redis.call('EXISTS', KEYS[1]) == 0
local at = 3
for key = 3, #KEYS, 6 do
  -- From the beginning: what is in the queue without a group has not been handled.
  local made = redis.pcall('XGROUP', 'CREATE', KEYS[key], ARGV[2], '0', 'MKSTREAM')
  if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then
    return made
  end
  local count = tonumber(ARGV[at + 1])
  for pattern = at + 2, at + 1 + count do
    local added = redis.call('HSET', KEYS[2], ARGV[at] .. ' ' .. ARGV[pattern], shown)
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
