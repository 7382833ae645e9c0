import { NOW } from "./fragments/clock.ts";
import { LEASES } from "./fragments/leases.ts";
import { PUT_BACK_DUE } from "./fragments/put-back-due.ts";
import { Script } from "./script.ts";

/**
 * Looks after one use case: puts due events back into the queue, and takes over entries whose consumer's lease has ended or
 * that were released. Starts or renews the consumer's own lease, too.
 *
 * A lease that has ended is never renewed: its owner goes on as a new consumer. So while a lease has not ended, nobody
 * has taken anything from its owner.
 *
 * What was released for a declaration is left to its consumers as long as one of them lives.
 *
 * KEYS  1 queue, 2 leases, 3 due, 4 waiting
 * ARGV  1 the group, 2 the consumer, 3 its declaration, 4 its lease in milliseconds, 5 '1' if it may start one, 6 '1' if it
 *       was away, 7 the most entries to take over, 8 the most bytes of them, 9 the consumer that holds released entries,
 *       10 how many due events to put back at most
 * Reply { 1 if the lease has ended, else 0; milliseconds until the next event is due, or -1 for none; 1 if there may be more
 *         to take over; then for each entry taken over: its id, how often it was delivered before, its fields }
 */
export const keepLease = new Script(
  "keep-lease",
  "runs-when-full",
  `
${NOW}
${LEASES}
${PUT_BACK_DUE}
local queue, leases, due, waiting = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, consumer, declaration, length = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local room, bytes, released = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
local present = now()
local reply = { 0, -1, 0 }

correct_leases(leases, present, length, ARGV[6] == '1')

if redis.call('EXISTS', queue) == 0 and not redis.call('ZSCORE', leases, consumer) then
  -- All of it was deleted. If it is made again, there is something to look after; if it was removed, it stays away (R9).
  return reply
end
local lease = redis.call('ZSCORE', leases, consumer) or (ARGV[5] == '1' and 0 or -1)
if tonumber(lease) >= 0 then
  redis.call('ZADD', leases, string.format('%.0f', present + length), consumer)
else
  reply[1] = 1
end

reply[2] = put_back_due(queue, due, waiting, present, ARGV[10])

local all = redis.pcall('XPENDING', queue, group)
if all.err then
  return reply
end
if all[1] > 0 then
  -- A consumer without a lease may have lost it and then read more. What it holds is taken over one lease from now.
  for _, each in ipairs(all[4]) do
    redis.call('ZADD', leases, 'NX', string.format('%.0f', -present - length), each[1])
  end
end

local function lives(other)
  for _, each in ipairs(redis.call('ZRANGEBYSCORE', leases, string.format('%.0f', present), '+inf')) do
    if string.sub(each, -#other - 1) == ' ' .. other then
      return true
    end
  end
  return false
end

local function may_take_from(from, ends)
  -- One that is further away than a lease was noted before the server's clock was set back.
  if from == consumer or (-ends > present and -ends <= present + length + 1000) then
    return false
  end
  if string.sub(from, 1, #released + 1) ~= released .. ' ' then
    return true
  end
  local other = string.sub(from, #released + 2)
  return other == declaration or not lives(other)
end

-- Returns whether nothing is left.
local function take_over(from)
  local pending = redis.call('XPENDING', queue, group, '-', '+', room + 1, from)
  for _, found in ipairs(pending) do
    if room == 0 or bytes <= 0 then
      return false
    end
    redis.call('ZADD', leases, -1, from)
    local entry = redis.call('XCLAIM', queue, group, consumer, 0, found[1])[1]
    if entry then
      reply[#reply + 1] = found[1]
      reply[#reply + 1] = found[4]
      reply[#reply + 1] = entry[2]
      room = room - 1
      for _, field in ipairs(entry[2]) do
        bytes = bytes - #field
      end
    else
      -- The entry was deleted from the queue.
      redis.call('XACK', queue, group, found[1])
    end
  end
  return #redis.call('XPENDING', queue, group, '-', '+', 1, from) == 0
end

if reply[1] == 0 then
  local ended = redis.call('ZRANGEBYSCORE', leases, '-inf', string.format('%.0f', present), 'WITHSCORES')
  for at = 1, #ended, 2 do
    local from = ended[at]
    if may_take_from(from, tonumber(ended[at + 1])) then
      if take_over(from) then
        redis.call('XGROUP', 'DELCONSUMER', queue, group, from)
        redis.call('ZREM', leases, from)
      else
        reply[3] = 1
      end
    end
  end
end
return reply
`,
);
