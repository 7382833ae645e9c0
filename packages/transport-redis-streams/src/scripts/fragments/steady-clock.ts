/**
 * Part of the scripts about declarations. They have `now()`.
 *
 *     steady_time(clock, bindings)
 *
 * The namespace's own time in milliseconds, which goes on by this; `steady_now`, the same without that. It goes on only while some instance lives, and takes no part in a jump of the
 * server's clock, so that neither a jump nor an outage makes what live instances declare look stale (R6, L9).
 */
export const STEADY_CLOCK = `
local function steady_now(clock, bindings)
  -- Longer than any pause between two looks of one live instance.
  local MAX_STEP_MS = 5000
  local present = now()
  local found = redis.call('HMGET', clock, 'server', 'steady')
  local time = found[2] and tonumber(found[2])
  if time then
    time = time + math.min(math.max(0, present - tonumber(found[1] or present)), MAX_STEP_MS)
  else
    time = 0
    for _, last_seen in ipairs(redis.call('HVALS', bindings)) do
      time = math.max(time, tonumber(last_seen) or 0)
    end
    if time == 0 then
      time = present
    end
  end
  return time, present
end

local function steady_time(clock, bindings)
  local time, present = steady_now(clock, bindings)
  redis.call('HSET', clock, 'server', string.format('%.3f', present), 'steady', string.format('%.3f', time))
  return time
end
`;
