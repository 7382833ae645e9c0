/**
 * Part of the scripts that publish.
 *
 *     fan_out(first, last)
 *
 * Adds events to queues. ARGV from `first` to `last` holds groups, any number of them:
 *
 *     n, n indexes of queues in KEYS, m, m packed events
 *
 * Each of the m events goes to each of the n queues.
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
    if found ~= 'stream' and found ~= 'none' then
      return redis.error_reply('WRONGTYPE ' .. KEYS[key] .. ' is a ' .. found)
    end
  end
end

local function fan_out(first, last)
  local at = first
  while at <= last do
    local queues = tonumber(ARGV[at])
    local count = tonumber(ARGV[at + queues + 1])
    local from = at + queues + 2
    for event = from, from + count - 1 do
      for queue = at + 1, at + queues do
        redis.call('XADD', KEYS[tonumber(ARGV[queue])], '*', 'e', ARGV[event])
      end
    end
    at = from + count
  end
end
`;

/** The reply of a script that was called with outdated bindings. It has changed nothing. */
export const BINDINGS_CHANGED = -1;
