import { VERSION } from "./fragments/version.ts";
import { Script } from "./script.ts";

/**
 * Finds what is no longer there of what was declared: the bindings, their version, the number of shards, queues and groups (L8). Finds, too, where
 * events would be forgotten: entries of a queue that were handed out and that no consumer has, since it was deleted; waiting
 * events and dead letters without a place in their order.
 *
 * KEYS  1 version, 2 bindings, 3 shards, then for each use case: queue, due, waiting, dead, dead-order
 * ARGV  1 the group, 2 '1' if the number of shards is noted here, then for each use case: n, n bindings of the form
 *       "<use case> <pattern>"
 * Reply { 1 if the version or that number is missing, else 0; the indexes of the use cases of which something is missing, from 0; the indexes
 *         of those where something would be forgotten }
 */
export const findMissing = new Script(
  "find-missing",
  "reads-only",
  `
${VERSION}
local function group_of(queue)
  if redis.pcall('XLEN', queue) == 0 then
    -- Nothing can be forgotten. Most queues are empty, and this is the cheaper question.
    return redis.pcall('XPENDING', queue, ARGV[1]).err == nil and {} or nil
  end
  local groups = redis.pcall('XINFO', 'GROUPS', queue)
  for _, each in ipairs(groups.err and {} or groups) do
    local group = {}
    for at = 1, #each, 2 do
      group[each[at]] = each[at + 1]
    end
    if group.name == ARGV[1] then
      return group
    end
  end
end

local function forgets(group, queue, due, waiting, dead, dead_order)
  -- The server does not always know how many entries have not been handed out.
  return (group.lag and redis.call('XLEN', queue) > group.pending + group.lag)
    or redis.call('HLEN', waiting) > redis.call('ZCARD', due)
    or redis.call('HLEN', dead) > redis.call('ZCARD', dead_order)
end

local missing, forgetting = {}, {}
local at = 3
for key = 4, #KEYS, 5 do
  local index, count, complete = (key - 4) / 5, tonumber(ARGV[at]), true
  for binding = at + 1, at + count do
    complete = complete and redis.call('HEXISTS', KEYS[2], ARGV[binding]) == 1
  end
  local group = group_of(KEYS[key])
  if not group or not complete then
    missing[#missing + 1] = index
  end
  -- A key of another type is that use case's problem, and no other's.
  local done, forgotten = pcall(forgets, group or {}, unpack(KEYS, key, key + 4))
  if done and forgotten then
    forgetting[#forgetting + 1] = index
  end
  at = at + 1 + count
end
local uncounted = ARGV[2] == '1' and redis.call('EXISTS', KEYS[3]) == 0
return { (nothing_declared(KEYS[1]) or uncounted) and 1 or 0, missing, forgetting }
`,
);
