import { Script } from "./script.ts";

/**
 * Removes a consumer. What it has not settled is released with its delivery count unchanged, as if never delivered.
 *
 * KEYS  1 queue, 2 leases
 * ARGV  1 the group, 2 the consumer, 3 the consumer that holds released entries
 * Reply how many entries were released
 */
export const leave = new Script(
  "leave",
  "runs-when-full",
  `
local queue, leases, group, consumer = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
redis.call('ZREM', leases, consumer)
local rest = redis.pcall('XPENDING', queue, group, '-', '+', 100000, consumer)
if rest.err then
  return 0
end
for _, found in ipairs(rest) do
  redis.call('XCLAIM', queue, group, ARGV[3], 0, found[1], 'RETRYCOUNT', math.max(0, found[4] - 1), 'JUSTID')
end
if #rest > 0 then
  redis.call('ZADD', leases, -1, ARGV[3])
end
redis.call('XGROUP', 'DELCONSUMER', queue, group, consumer)
return #rest
`,
);
