import { NOW } from "./fragments/clock.ts";
import { OWN_ENTRIES } from "./fragments/own-entries.ts";
import { Script } from "./script.ts";

/**
 * Moves events of one consumer out of the queue: to where they wait, to the dead letters, or to other consumers. An entry
 * that no longer belongs to the consumer is left alone (L3).
 *
 * A script that fails midway is not rolled back, so each event is stored before its entry is removed from the queue.
 *
 * KEYS  1 queue, 2 leases, 3 due, 4 waiting, 5 dead, 6 dead-order
 * ARGV  1 the group, 2 the consumer, 3 the consumer that holds released entries, then any number of
 *         'wait', entry, repeated, id, delay in milliseconds, packed event
 *         'forward', entry, repeated, id, delay in milliseconds, packed event, declaration
 *         'dead', entry, repeated, id, packed event
 *         'release', entry, repeated
 *       where repeated is '1' if this repeats a run whose reply was lost. 'forward' hands the entry itself to the consumers
 *       of a declaration as long as one of them lives; else it is as 'wait'.
 * Reply { 1 if the consumer's lease has ended, else 0; then the indexes of those that are not the consumer's, from 0 }
 */
export const move = new Script(
  "move",
  "runs-when-full",
  `
${NOW}
local queue, leases, group, consumer, released = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]
${OWN_ENTRIES}
local function lives(declaration)
  for _, each in ipairs(redis.call('ZRANGEBYSCORE', leases, string.format('%.0f', now()), '+inf')) do
    if string.sub(each, -#declaration - 1) == ' ' .. declaration then
      return true
    end
  end
  return false
end

-- Gives back an entry as if it had not been delivered.
local function give(found, to)
  redis.call('XCLAIM', queue, group, to, 0, found[1], 'RETRYCOUNT', math.max(0, found[4] - 1), 'JUSTID')
  redis.call('ZADD', leases, -1, to)
end

local function wait(at)
  local entry, id, delay, event = ARGV[at], ARGV[at + 2], tonumber(ARGV[at + 3]), ARGV[at + 4]
  redis.call('HSET', KEYS[4], id, event)
  redis.call('ZADD', KEYS[3], string.format('%.3f', now() + delay), id)
  remove(entry)
end

-- For each kind: how many arguments it has, what it does, and whether the event is where it was to go all the same.
local kinds = {
  wait = { 5, wait, function(at) return redis.call('HEXISTS', KEYS[4], ARGV[at + 2]) == 1 end },
  forward = { 6, function(at, found)
    if lives(ARGV[at + 5]) then
      give(found, released .. ' ' .. ARGV[at + 5])
    else
      wait(at)
    end
  end },
  dead = { 4, function(at)
    local last = redis.call('ZREVRANGE', KEYS[6], 0, 0, 'WITHSCORES')[2]
    local position = math.max(math.floor(now() * 1000), tonumber(last or 0) + 1)
    redis.call('HSET', KEYS[5], ARGV[at + 2], ARGV[at + 3])
    redis.call('ZADD', KEYS[6], string.format('%.0f', position), ARGV[at + 2])
    remove(ARGV[at])
  end, function(at) return redis.call('HEXISTS', KEYS[5], ARGV[at + 2]) == 1 end },
  release = { 2, function(at, found) give(found, released) end },
}

local reply = { lease_ended and 1 or 0 }
local at, index = 4, 0
while at <= #ARGV do
  local count, act, is_there = unpack(kinds[ARGV[at]])
  local found = pending(ARGV[at + 1])
  if found then
    act(at + 1, found)
  elseif not stored_before(ARGV[at + 2]) and not (is_there and is_there(at + 1)) then
    reply[#reply + 1] = index
  end
  at = at + 1 + count
  index = index + 1
end
return reply
`,
);
