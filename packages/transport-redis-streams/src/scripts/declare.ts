import { NOW } from "./fragments/clock.ts";
import { Script } from "./script.ts";

/**
 * Creates queues, binds patterns, and records what was declared, by which app, as seen now (R6). Changes nothing if a key
 * already has another type (L1).
 *
 * A declaration that is new is the occasion to forget those of its use case that nobody has repeated for a week. Their
 * patterns stay bound until they are withdrawn.
 *
 * KEYS  1 version, 2 bindings, 3 declarations, then for each use case: queue, leases, due, waiting, dead, dead-order
 * ARGV  1 a version never used before, 2 the group, 3 the app, then for each use case: its name, the declaration's id, n,
 *       n patterns
 * Reply empty; or { key, its type, the type it must have } of the first conflict
 */
export const declare = new Script(
  "declare",
  "runs-when-full",
  `
${NOW}
local WEEK_MS = 604800000
local function conflict(key, expected)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= expected then
    return { key, found, expected }
  end
end

local types = { 'stream', 'zset', 'zset', 'hash', 'hash', 'zset' }
local problem = conflict(KEYS[1], 'string') or conflict(KEYS[2], 'hash') or conflict(KEYS[3], 'hash')
for key = 4, #KEYS do
  problem = problem or conflict(KEYS[key], types[(key - 4) % 6 + 1])
end
if problem then
  return problem
end

local function forget_old(use_case, present)
  local all = redis.call('HGETALL', KEYS[3])
  for at = 1, #all, 2 do
    local last_seen = tonumber(string.match(all[at + 1], '^%d+') or 0)
    if string.sub(all[at], 1, #use_case + 1) == use_case .. ' ' and last_seen < present - WEEK_MS then
      redis.call('HDEL', KEYS[3], all[at])
    end
  end
end

local present = now()
local last_seen = string.format('%.0f', present)
local changed = redis.call('EXISTS', KEYS[1]) == 0
local at = 4
for key = 4, #KEYS, 6 do
  -- From the beginning: what is in a queue without a group has not been handled.
  local created = redis.pcall('XGROUP', 'CREATE', KEYS[key], ARGV[2], '0', 'MKSTREAM')
  if created.err and not string.find(created.err, 'BUSYGROUP', 1, true) then
    return created
  end
  local use_case, id, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local declared = last_seen
  for pattern = at + 3, at + 2 + count do
    local added = redis.call('HSET', KEYS[2], use_case .. ' ' .. ARGV[pattern], last_seen)
    changed = changed or added == 1
    declared = declared .. ' ' .. ARGV[pattern]
  end
  if id ~= '' and redis.call('HSET', KEYS[3], use_case .. ' ' .. id .. ' ' .. ARGV[3], declared) == 1 then
    forget_old(use_case, present)
  end
  at = at + 3 + count
end
if changed then
  redis.call('SET', KEYS[1], ARGV[1])
end
return {}
`,
);
