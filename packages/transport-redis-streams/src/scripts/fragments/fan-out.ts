/**
 * Part of the scripts that publish.
 *
 *     fan_out(first, last)
 *
 * Adds events to queues. ARGV from `first` to `last` holds groups, any number of them:
 *
 *     n, n indexes of queues in KEYS, t, t indexes of tails' streams in KEYS, m, m packed events
 *
 * Each of the m events goes to each of the n queues, and a copy to each of the t tails for which there is room. A tail's state
 * follows its stream in KEYS. A tail that has ended gets nothing, and nothing that is wrong with one disturbs the publisher.
 *
 *     check_queues(first)
 *
 * Returns an error to reply if any of KEYS from index `first` on is not a queue. It is called before anything is written,
 * because an error midway would leave an event in some of its queues only.
 */
export const FAN_OUT = `
local function check_queues(first)
  for key = first, #KEYS do
    local found = redis.call('TYPE', KEYS[key]).ok
    -- Of all keys given only those of tails have this in their name.
    if found ~= 'stream' and found ~= 'none' and not string.find(KEYS[key], ':tail:', 1, true) then
      return redis.error_reply('WRONGTYPE ' .. KEYS[key] .. ' is a ' .. found)
    end
  end
end

local function copy_to_tail(stream, state, first, last)
  local room = tonumber(redis.call('HGET', state, 'room'))
  if not room then
    return
  end
  local left, dropped = room, 0
  for event = first, last do
    if left > 0 and redis.call('XADD', stream, 'NOMKSTREAM', '*', 'e', ARGV[event]) then
      left = left - #ARGV[event]
    else
      dropped = dropped + 1
    end
  end
  redis.call('HSET', state, 'room', left)
  redis.call('HINCRBY', state, 'dropped', dropped)
end

local function fan_out(first, last)
  local at = first
  while at <= last do
    local queues = tonumber(ARGV[at])
    local tails = tonumber(ARGV[at + queues + 1])
    local from = at + queues + tails + 3
    local count = tonumber(ARGV[from - 1])
    for event = from, from + count - 1 do
      for queue = at + 1, at + queues do
        redis.call('XADD', KEYS[tonumber(ARGV[queue])], '*', 'e', ARGV[event])
      end
    end
    for tail = at + queues + 2, from - 2 do
      local key = tonumber(ARGV[tail])
      pcall(copy_to_tail, KEYS[key], KEYS[key + 1], from, from + count - 1)
    end
    at = from + count
  end
end
`;

/** The reply of a script that was called with outdated bindings. It has changed nothing. */
export const BINDINGS_CHANGED = -1;
