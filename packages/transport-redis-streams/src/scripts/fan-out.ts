/**
 * Part of the scripts that publish.
 *
 *     fan_out(first, last)
 *
 * Adds events to queues as ARGV from `first` to `last` says, any number of times:
 *
 *     n, n places in KEYS of queues, m, m packed events
 *
 * each of the m events goes to each of the n queues.
 *
 *     no_queue(first)
 *
 * The error to reply if a key from place `first` of KEYS on is something else than a queue: an error midway would leave
 * an event in some of its queues.
 */
export const FAN_OUT = `
local function no_queue(first)
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

/** Part of scripts: `now()`, the server's clock in milliseconds with fractions. */
export const NOW = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end
`;

/** What a script replies that was given bindings which have changed since; it has done nothing. */
export const STALE = -1;
