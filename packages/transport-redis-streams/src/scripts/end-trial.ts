import { Script } from "./script.ts";

/**
 * Takes back the record of one trial of an event, or of all its trials.
 *
 * KEYS  1 trials
 * ARGV  1 the event's id, 2 the trial, or '' for all
 * Reply 1 if there is no record of the event left, else 0
 */
export const endTrial = new Script(
  "end-trial",
  "runs-when-full",
  `
local record = redis.call('HGET', KEYS[1], ARGV[1])
if not record then
  return 1
end
local left = ''
if ARGV[2] ~= '' then
  for trial in string.gmatch(record, ' ([^ ]+)') do
    if trial ~= ARGV[2] then
      left = left .. ' ' .. trial
    end
  end
end
if left == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 1
end
redis.call('HSET', KEYS[1], ARGV[1], string.match(record, '^%d+') .. left)
return 0
`,
);
