import { NOW } from "./fragments/clock.ts";
import { STEADY_CLOCK } from "./fragments/steady-clock.ts";
import { VERSION } from "./fragments/version.ts";
import { Script } from "./script.ts";

/**
 * Creates queues, binds patterns, and records what was declared, by which app, as seen now (R6). Declares nothing if a key
 * already has another type (L1). What is only repeated leaves out use cases that were removed since (R9), and stays bound also
 * where a key has another type by now: who publishes is refused then, in place of being confirmed what nobody gets (L8).
 *
 * A declaration that is new is the occasion to forget those of its use case that nobody has repeated for a week. Their
 * patterns stay bound until they are withdrawn.
 *
 * KEYS  1 version, 2 bindings, 3 declarations, 4 removed, 5 clock, 6 use-cases, 7 shards, then for each use case: queue,
 *       leases, due, waiting, dead, dead-order
 * ARGV  1 a version never used before, 2 the group, 3 the app, 4 how many shards there are if that is to be noted here, or '',
 *       then for each use case: its name, the declaration's id, '1' if it is only repeated, n, n patterns
 * Reply { { key, its type, the type it must have } of the first conflict or {}, the indexes of the use cases that were
 *         removed, those of which something was made }
 */
export const declare = new Script(
  "declare",
  "runs-when-full",
  `
${NOW}
${STEADY_CLOCK}
${VERSION}
local WEEK_MS = 604800000
local function conflict(key, expected)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= expected then
    return { key, found, expected }
  end
end

local function any_is_repeated()
  local at = 5
  for _ = 8, #KEYS, 6 do
    if ARGV[at + 2] == '1' then
      return true
    end
    at = at + 4 + tonumber(ARGV[at + 3])
  end
  return false
end

local types = { 'stream', 'zset', 'zset', 'hash', 'hash', 'zset' }
local problem = conflict(KEYS[1], 'string') or conflict(KEYS[7], 'string')
for key = 2, 6 do
  problem = problem or conflict(KEYS[key], 'hash')
end
if problem then
  return { problem, {}, {} }
end
for key = 8, #KEYS do
  problem = problem or conflict(KEYS[key], types[(key - 8) % 6 + 1])
end
if problem and not any_is_repeated() then
  return { problem, {}, {} }
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

local present = steady_time(KEYS[5], KEYS[2])
local last_seen = string.format('%.0f', present)
local changed = nothing_declared(KEYS[1])
local declared_at = string.format('%.0f', now())
local removed, made = {}, {}

-- Returns whether any was not bound before.
local function bind(use_case, first, last)
  local is_new = false
  for pattern = first, last do
    if redis.call('HSET', KEYS[2], use_case .. ' ' .. ARGV[pattern], last_seen) == 1 then
      changed, is_new = true, true
    end
  end
  return is_new
end

-- Returns an error, or whether something was made.
local function declare(key, use_case, id, first, last)
  -- From the beginning: what is in a queue without a group has not been handled.
  local created = redis.pcall('XGROUP', 'CREATE', KEYS[key], ARGV[2], '0', 'MKSTREAM')
  if created.err and not string.find(created.err, 'BUSYGROUP', 1, true) then
    return created
  end
  local is_new = bind(use_case, first, last) or not created.err
  local declared = last_seen
  for pattern = first, last do
    declared = declared .. ' ' .. ARGV[pattern]
  end
  if id ~= '' and redis.call('HSET', KEYS[3], use_case .. ' ' .. id .. ' ' .. ARGV[3], declared) == 1 then
    forget_old(use_case, present)
  end
  return is_new
end

if ARGV[4] ~= '' then
  -- Without it, whoever starts would take what is declared here for all there is.
  redis.call('SETNX', KEYS[7], ARGV[4])
end
local at, index = 5, 0
for key = 8, #KEYS, 6 do
  local use_case, id, again, count = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  if again == '1' and redis.call('HEXISTS', KEYS[4], use_case) == 1 then
    removed[#removed + 1] = index
  elseif problem then
    if again == '1' then
      bind(use_case, at + 4, at + 3 + count)
    end
  else
    redis.call('HDEL', KEYS[4], use_case)
    redis.call('HSET', KEYS[6], use_case, declared_at)
    local result = declare(key, use_case, id, at + 4, at + 3 + count)
    if type(result) == 'table' then
      return result
    end
    if result then
      made[#made + 1] = index
    end
  end
  at = at + 4 + count
  index = index + 1
end
if changed then
  redis.call('SET', KEYS[1], ARGV[1])
end
return { problem or {}, removed, made }
`,
);
