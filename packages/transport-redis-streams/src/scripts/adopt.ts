import { NOW } from "./fragments/clock.ts";
import { LEASES } from "./fragments/leases.ts";
import { Script } from "./script.ts";

/**
 * Lets a process go on as a new consumer, since its lease has ended or it takes nothing more. It takes with it the entries that
 * nobody has taken over yet. Those that others have were counted as if the process had died. It lives, so that is taken back
 * (T6). A lease of the old consumer that has not ended ends now, so that what is settled under its name is looked up; what it
 * still holds is left to it for as long as a lease lasts.
 *
 * KEYS  1 queue, 2 leases
 * ARGV  1 the group, 2 the old consumer, 3 the new one, 4 its lease in milliseconds, then the entries that the process holds
 * Reply for each entry 1 if it is the new consumer's, else 0
 */
export const adopt = new Script(
  "adopt",
  "runs-when-full",
  `
${NOW}
${LEASES}
local queue, leases, group, old, new = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]
local present, length = now(), tonumber(ARGV[4])
correct_leases(leases, present, length, false)
redis.call('ZADD', leases, string.format('%.0f', present + length), new)
if tonumber(redis.call('ZSCORE', leases, old) or -1) >= 0 then
  redis.call('ZADD', leases, string.format('%.0f', -present - length), old)
end
local reply = {}
for at = 5, #ARGV do
  local found = redis.pcall('XPENDING', queue, group, ARGV[at], ARGV[at], 1)
  found = not found.err and found[1]
  local own = found and (found[2] == old or found[2] == new)
  if own then
    redis.call('XCLAIM', queue, group, new, 0, ARGV[at], 'JUSTID')
  elseif found then
    redis.call('XCLAIM', queue, group, found[2], 0, ARGV[at], 'RETRYCOUNT', math.max(0, found[4] - 1), 'JUSTID')
  end
  reply[#reply + 1] = own and 1 or 0
end
return reply
`,
);
