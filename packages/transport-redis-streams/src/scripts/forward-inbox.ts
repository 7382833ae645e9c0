import { FAN_OUT } from "./fragments/fan-out.ts";
import { Script } from "./script.ts";

/**
 * Moves events from the inbox to the queues (L5). Several apps may try the same entries; each entry is moved once.
 *
 * KEYS  1 version, 2 inbox, then queues
 * ARGV  1 the version the caller knows, then for each entry: its id, n, n arguments of fan_out
 * Reply how many were moved; -1 if the bindings have changed and nothing was done
 */
export const forwardInbox = new Script(
  "forward-inbox",
  "refused-when-full",
  `
${FAN_OUT}
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return -1
end
local problem = check_queues(3)
if problem then
  return problem
end
local moved = 0
local at = 2
while at <= #ARGV do
  local count = tonumber(ARGV[at + 1])
  if #redis.call('XRANGE', KEYS[2], ARGV[at], ARGV[at]) > 0 then
    fan_out(at + 2, at + 1 + count)
    redis.call('XDEL', KEYS[2], ARGV[at])
    moved = moved + 1
  end
  at = at + 2 + count
end
return moved
`,
);
