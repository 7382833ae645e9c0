import { FAN_OUT } from "./fan-out.ts";
import { Script } from "./script.ts";

/**
 * Moves events from the inbox to the queues (L5). Several apps may try it with the same entries: each is moved once.
 *
 * KEYS  1 version, 2 inbox, then queues
 * ARGV  1 the version the caller knows, then for each: entry, n, n arguments of fan_out
 * Reply how many; -1 if the bindings have changed: nothing is done
 */
export const forward = new Script(
  "forward",
  `
${FAN_OUT}
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return -1
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

/**
 * Sets an entry of the inbox aside that is no event.
 *
 * KEYS  1 inbox, 2 refused
 * ARGV  1 entry
 * Reply 1 if it was there
 */
export const refuse = new Script(
  "refuse",
  `
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then
  return 0
end
redis.call('XADD', KEYS[2], '*', unpack(entry[2]))
return redis.call('XDEL', KEYS[1], ARGV[1])
`,
);
