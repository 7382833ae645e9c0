import { NOW } from "./fan-out.ts";
import { Script } from "./script.ts";

/**
 * What every consumer does now and then: prolongs its lease, puts due events back into the queue, and takes over what
 * belongs to consumers whose lease has ended and what was handed back.
 *
 * A lease that has ended is never prolonged: its owner begins anew under another name. So a lease that runs means that
 * nobody has taken anything from its owner. Where all leases have ended the server itself may have been away, or the
 * network, and whoever is first to be back would take from all the others: they get a third of a lease to come back.
 *
 * KEYS  1 queue, 2 leases, 3 due, 4 waiting
 * ARGV  1 the group, 2 the consumer, 3 its lease in milliseconds, 4 '1' if it may begin one, 5 how many events it would
 *       take over, 6 the consumer of what is handed back, 7 the most events to put back at once
 * Reply { 1 if the lease has ended, else 0; milliseconds until the next event is due, or -1 for none;
 *         then for each event taken over: entry, how often it had been handed out, its fields }
 */
export const tend = new Script(
  "tend",
  `
${NOW}
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

local bytes = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', string.format('%.3f', present), 'LIMIT', 0, ARGV[7])) do
  local event = redis.call('HGET', waiting, id)
  if event then
    redis.call('XADD', queue, '*', 'e', event)
    redis.call('HDEL', waiting, id)
    bytes = bytes + #event
  end
  redis.call('ZREM', due, id)
  if bytes > 4194304 then break end
end
local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
if first then
  reply[2] = math.max(0, math.ceil(tonumber(first) - present))
end

if redis.call('EXISTS', queue) == 0 then
  return reply
end
local all = redis.pcall('XPENDING', queue, group)
if all.err then
  return reply
end
if all[1] > 0 then
  -- One without a lease may have lost it and then read more: what it holds is taken over too, a lease from now.
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
      -- Somebody has deleted it from the queue.
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
