import { NOW } from "./fragments/clock.ts";
import { LEASES } from "./fragments/leases.ts";
import { STEADY_CLOCK } from "./fragments/steady-clock.ts";
import { Script } from "./script.ts";

/**
 * Renews the leases of one app's consumers, and finds the use cases that need a look: those where something is due soon, where
 * something can be taken over, or where the consumer's lease has ended.
 *
 * A lease that has ended is never renewed: its owner goes on as a new consumer.
 *
 * KEYS  1 clock, 2 bindings, then for each use case: queue, leases, due
 * ARGV  1 the group, 2 the length of a lease in milliseconds, 3 '1' if the app was away, 4 within how many milliseconds it is
 *       soon, then for each use case: the consumer
 * Reply for each use case that needs a look: its index, from 0, and in how many milliseconds
 */
export const renewLeases = new Script(
  "renew-leases",
  "runs-when-full",
  `
${NOW}
${STEADY_CLOCK}
${LEASES}
local group, length, was_away, soon = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4])
steady_time(KEYS[1], KEYS[2])
local present = now()
local until_present = string.format('%.0f', present)
local ends = string.format('%.0f', present + length)

-- Returns in how many milliseconds a look is needed, or nothing.
local function renew(queue, leases, due, consumer)
  correct_leases(leases, present, length, was_away)
  if tonumber(redis.call('ZSCORE', leases, consumer) or -1) < 0 then
    return 0
  end
  redis.call('ZADD', leases, ends, consumer)
  if redis.call('ZCOUNT', leases, '-inf', until_present) > 0 then
    return 0
  end
  local pending = redis.pcall('XPENDING', queue, group)
  if not pending.err and pending[1] > 0 then
    for _, each in ipairs(pending[4]) do
      -- A consumer without a lease: somebody has to take note of it.
      if not redis.call('ZSCORE', leases, each[1]) then
        return 0
      end
    end
  end
  local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
  if first and tonumber(first) <= present + soon then
    return math.max(0, math.ceil(tonumber(first) - present))
  end
end

local reply = {}
for key = 3, #KEYS, 3 do
  local index = (key - 3) / 3
  -- A key of another type is that use case's problem, and no other's.
  local done, delay = pcall(renew, KEYS[key], KEYS[key + 1], KEYS[key + 2], ARGV[5 + index])
  if not done then
    delay = 0
  end
  if delay then
    reply[#reply + 1] = index
    reply[#reply + 1] = delay
  end
end
return reply
`,
);
