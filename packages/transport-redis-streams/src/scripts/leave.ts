import { Script } from "./script.ts";

/**
 * Removes a consumer. What it has not settled is released with its delivery count unchanged, as if never delivered. Where that
 * is much, the script is to be run again until nothing is left; from the first run on others may take over as well.
 *
 * KEYS  1 queue, 2 leases
 * ARGV  1 the group, 2 the consumer, 3 the consumer that holds released entries, 4 how many entries to release at most
 * Reply 1 if there is more to release, else 0
 */
export const leave = new Script(
  "leave",
  "runs-when-full",
  `
local queue, leases, group, consumer, limit = KEYS[1], KEYS[2], ARGV[1], ARGV[2], tonumber(ARGV[4])
local rest = redis.pcall('XPENDING', queue, group, '-', '+', limit, consumer)
if rest.err then
  redis.call('ZREM', leases, consumer)
  return 0
end
for _, found in ipairs(rest) do
  redis.call('XCLAIM', queue, group, ARGV[3], 0, found[1], 'RETRYCOUNT', math.max(0, found[4] - 1), 'JUSTID')
end
if #rest > 0 then
  redis.call('ZADD', leases, -1, ARGV[3])
end
if #rest == limit then
  redis.call('ZADD', leases, -1, consumer)
  return 1
end
redis.call('ZREM', leases, consumer)
redis.call('XGROUP', 'DELCONSUMER', queue, group, consumer)
return 0
`,
);
