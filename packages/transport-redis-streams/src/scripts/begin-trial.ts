import { NOW } from "./fragments/clock.ts";
import { Script } from "./script.ts";

/**
 * Records that a trial of an event begins (T6). Records of events that came to no end, since they vanished, are forgotten
 * after a week, and the oldest earlier where there are more than a thousand.
 *
 * KEYS  1 trials
 * ARGV  1 the event's id, 2 the trial
 * Reply how many earlier trials of the event were not taken back
 */
export const beginTrial = new Script(
  "begin-trial",
  "runs-when-full",
  `
${NOW}
local MAX_EVENTS = 1000
local WEEK_MS = 604800000
local present = now()

local records = redis.call('HGETALL', KEYS[1])
local events = {}
for at = 1, #records, 2 do
  local since = tonumber(string.match(records[at + 1], '^%d+') or 0)
  if since < present - WEEK_MS then
    redis.call('HDEL', KEYS[1], records[at])
  elseif records[at] ~= ARGV[1] then
    events[#events + 1] = { since, records[at] }
  end
end
if #events >= MAX_EVENTS then
  table.sort(events, function(a, b) return a[1] < b[1] end)
  for at = 1, #events - MAX_EVENTS + 1 do
    redis.call('HDEL', KEYS[1], events[at][2])
  end
end

local trials = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^%d+(.*)$') or ''
local _, earlier = string.gsub(trials, ' ', ' ')
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', present) .. trials .. ' ' .. ARGV[2])
return earlier
`,
);
