import { NOW } from "./fragments/clock.ts";
import { Script } from "./script.ts";

/**
 * Gives events of one use case their place again where somebody has deleted it (L8): entries that were handed out to a
 * consumer which was deleted are released, waiting events without a time are due now, dead letters without a position are
 * the newest. Much is done in several runs.
 *
 * KEYS  1 queue, 2 leases, 3 due, 4 waiting, 5 dead, 6 dead-order
 * ARGV  1 the group, 2 the consumer that holds released entries, 3 the id of the entry to begin after, or '-', 4 how many
 *       entries to look at
 * Reply { how many have their place again, the id to go on after, or '' at the end }
 */
export const restoreForgotten = new Script(
  "restore-forgotten",
  "runs-when-full",
  `
${NOW}
local queue, leases, due, waiting, dead, dead_order = unpack(KEYS)
local group, released, after, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local restored = 0

if after == '-' then
  local present = string.format('%.3f', now())
  if redis.call('HLEN', waiting) > redis.call('ZCARD', due) then
    for _, id in ipairs(redis.call('HKEYS', waiting)) do
      restored = restored + redis.call('ZADD', due, 'NX', present, id)
    end
  end
  if redis.call('HLEN', dead) > redis.call('ZCARD', dead_order) then
    local last = tonumber(redis.call('ZREVRANGE', dead_order, 0, 0, 'WITHSCORES')[2] or 0)
    local position = math.max(math.floor(now() * 1000), last + 1)
    for _, id in ipairs(redis.call('HKEYS', dead)) do
      if redis.call('ZADD', dead_order, 'NX', string.format('%.0f', position), id) == 1 then
        restored, position = restored + 1, position + 1
      end
    end
  end
end

local delivered
for _, each in ipairs(redis.call('XINFO', 'GROUPS', queue)) do
  for at = 1, #each, 2 do
    if each[at] == 'name' and each[at + 1] ~= group then
      break
    elseif each[at] == 'last-delivered-id' then
      delivered = each[at + 1]
    end
  end
end
local entries = delivered and redis.call('XRANGE', queue, after == '-' and '-' or '(' .. after, delivered, 'COUNT', limit) or {}
for _, entry in ipairs(entries) do
  if #redis.call('XPENDING', queue, group, entry[1], entry[1], 1) == 0 then
    redis.call('XCLAIM', queue, group, released, 0, entry[1], 'RETRYCOUNT', 0, 'FORCE', 'JUSTID')
    redis.call('ZADD', leases, -1, released)
    restored = restored + 1
  end
end
return { restored, #entries == limit and entries[#entries][1] or '' }
`,
);
