import { NOW } from "./fragments/clock.ts";
import { PUT_BACK_DUE } from "./fragments/put-back-due.ts";
import { Script } from "./script.ts";

/**
 * Renews a consumer's lease, puts due events back into the queue, and takes over entries whose consumer's lease has
 * ended or that were released. Every consumer runs it regularly.
 *
 * A lease that has ended is never renewed: its owner goes on as a new consumer. So while a lease has not ended, nobody
 * has taken anything from its owner. If all leases have ended, the server or the network may have been away, and whoever
 * came back first would take everything from the others. So all of them get a third of a lease to come back.
 *
 * KEYS  1 queue, 2 leases, 3 due, 4 waiting
 * ARGV  1 the group, 2 the consumer, 3 its lease in milliseconds, 4 '1' if it may start one, 5 the most entries to take
 *       over, 6 the consumer that holds released entries, 7 how many due events to put back at most
 * Reply { 1 if the lease has ended, else 0; milliseconds until the next event is due, or -1 for none;
 *         then for each entry taken over: its id, how often it was delivered before, its fields }
 */
export const keepLease = new Script(
  "keep-lease",
  `
${NOW}
${PUT_BACK_DUE}
local queue, leases, due, waiting = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, consumer, room = ARGV[1], ARGV[2], tonumber(ARGV[5])
local present = now()
local reply = { 0, -1 }

local newest = tonumber(redis.call('ZREVRANGE', leases, 0, 0, 'WITHSCORES')[2] or -1)
if newest >= 0 and newest <= present then
  for _, each in ipairs(redis.call('ZRANGEBYSCORE', leases, 0, '+inf')) do
    redis.call('ZADD', leases, string.format('%.0f', present + tonumber(ARGV[3]) / 3), each)
  end
end

local lease = redis.call('ZSCORE', leases, consumer) or (ARGV[4] == '1' and 0 or -1)
if tonumber(lease) >= 0 then
  redis.call('ZADD', leases, string.format('%.0f', present + tonumber(ARGV[3])), consumer)
else
  reply[1] = 1
end

reply[2] = put_back_due(queue, due, waiting, present, ARGV[7])

if redis.call('EXISTS', queue) == 0 then
  return reply
end
local all = redis.pcall('XPENDING', queue, group)
if all.err then
  return reply
end
if all[1] > 0 then
  -- A consumer without a lease may have lost it and then read more. What it holds is taken over one lease from now.
  for _, each in ipairs(all[4]) do
    redis.call('ZADD', leases, 'NX', string.format('%.0f', -present - tonumber(ARGV[3])), each[1])
  end
end

local function take_over(from)
  for _, found in ipairs(redis.call('XPENDING', queue, group, '-', '+', room, from)) do
    redis.call('ZADD', leases, -1, from)
    local entry = redis.call('XCLAIM', queue, group, consumer, 0, found[1])[1]
    if entry then
      reply[#reply + 1] = found[1]
      reply[#reply + 1] = found[4]
      reply[#reply + 1] = entry[2]
      room = room - 1
    else
      -- The entry was deleted from the queue.
      redis.call('XACK', queue, group, found[1])
    end
  end
end

if reply[1] == 0 and room > 0 then
  local ended = redis.call('ZRANGEBYSCORE', leases, '-inf', string.format('%.0f', present), 'WITHSCORES')
  for at = 1, #ended, 2 do
    local from = ended[at]
    if room > 0 and from ~= consumer and -tonumber(ended[at + 1]) <= present then
      take_over(from)
      if #redis.call('XPENDING', queue, group, '-', '+', 1, from) == 0 then
        redis.call('XGROUP', 'DELCONSUMER', queue, group, from)
        redis.call('ZREM', leases, from)
      end
    end
  end
end
return reply
`,
);
