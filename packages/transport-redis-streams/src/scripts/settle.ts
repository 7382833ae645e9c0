import { NOW } from "./fragments/clock.ts";
import { FAN_OUT } from "./fragments/fan-out.ts";
import { Script } from "./script.ts";

/**
 * Stores settlements of one consumer's deliveries in one step: acknowledges and deletes entries, and stores outputs,
 * retries and dead letters.
 *
 * An entry that no longer belongs to the consumer is left alone (L3). While the consumer's lease has never ended, nobody
 * has taken an entry from it, so entries that are merely done are acknowledged without a look. All others are looked up in
 * the pending list.
 *
 * A script that fails midway is not rolled back, so each event is stored before its entry is removed from the queue.
 *
 * KEYS  1 version, 2 queue, 3 leases, 4 due, 5 waiting, 6 dead, 7 dead-order, then the outputs' queues
 * ARGV  1 the group, 2 the consumer, 3 the consumer that holds released entries,
 *       4 the version of the bindings that outputs were matched with, or '*' without outputs, then any number of
 *         'done', n, n entries
 *         'outputs', entry, n, n arguments of fan_out
 *         'retry', entry, delay in milliseconds, packed event
 *         'dead', entry, id, packed event
 *         'release', entry
 * Reply 0; 1 if the consumer's lease has ended; -1 if the bindings have changed and nothing was done
 */
export const settle = new Script(
  "settle",
  `
${FAN_OUT}
${NOW}
local version, queue, leases, group, consumer = KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2]
if ARGV[4] ~= '*' and (redis.call('GET', version) or '') ~= ARGV[4] then
  return -1
end
local problem = check_queues(8)
if problem then
  return problem
end
local lease_ended = tonumber(redis.call('ZSCORE', leases, consumer) or -1) < 0

local function pending(entry)
  return redis.call('XPENDING', queue, group, entry, entry, 1, consumer)[1]
end

local function remove(entry)
  redis.call('XACK', queue, group, entry)
  redis.call('XDEL', queue, entry)
end

local store = {}

function store.done(at)
  local count = tonumber(ARGV[at])
  if lease_ended then
    for entry = at + 1, at + count do
      if pending(ARGV[entry]) then
        remove(ARGV[entry])
      end
    end
  else
    redis.call('XACK', queue, group, unpack(ARGV, at + 1, at + count))
    redis.call('XDEL', queue, unpack(ARGV, at + 1, at + count))
  end
  return at + 1 + count
end

function store.outputs(at)
  local count = tonumber(ARGV[at + 1])
  if pending(ARGV[at]) then
    fan_out(at + 2, at + 1 + count)
    remove(ARGV[at])
  end
  return at + 2 + count
end

function store.retry(at)
  if pending(ARGV[at]) then
    -- Unique even if the queue is deleted and its entry ids start again.
    local id = ARGV[at] .. ' ' .. consumer
    redis.call('HSET', KEYS[5], id, ARGV[at + 2])
    redis.call('ZADD', KEYS[4], string.format('%.3f', now() + tonumber(ARGV[at + 1])), id)
    remove(ARGV[at])
  end
  return at + 3
end

function store.dead(at)
  if pending(ARGV[at]) then
    local last = redis.call('ZREVRANGE', KEYS[7], 0, 0, 'WITHSCORES')[2]
    local position = math.max(math.floor(now() * 1000), tonumber(last or 0) + 1)
    redis.call('HSET', KEYS[6], ARGV[at + 1], ARGV[at + 2])
    redis.call('ZADD', KEYS[7], string.format('%.0f', position), ARGV[at + 1])
    remove(ARGV[at])
  end
  return at + 3
end

function store.release(at)
  local found = pending(ARGV[at])
  if found then
    redis.call('XCLAIM', queue, group, ARGV[3], 0, ARGV[at], 'RETRYCOUNT', math.max(0, found[4] - 1), 'JUSTID')
    redis.call('ZADD', leases, -1, ARGV[3])
  end
  return at + 1
end

local at = 5
while at <= #ARGV do
  at = store[ARGV[at]](at + 1)
end
return lease_ended and 1 or 0
`,
);
