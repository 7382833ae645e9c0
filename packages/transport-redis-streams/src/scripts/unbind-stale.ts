import { NOW } from "./fragments/clock.ts";
import { STEADY_CLOCK } from "./fragments/steady-clock.ts";
import { Script } from "./script.ts";

/**
 * Unbinds those of the given patterns that no instance has declared for a while, and forgets the declarations of the use
 * case that none has repeated for as long (R6).
 *
 * KEYS  1 version, 2 bindings, 3 declarations, 4 clock
 * ARGV  1 a version never used before, 2 how long, in milliseconds, 0 for those that were declared just now, too, 3 "<use case> ", then patterns
 * Reply how many were unbound
 */
export const unbindStale = new Script(
  "unbind-stale",
  "runs-when-full",
  `
${NOW}
${STEADY_CLOCK}
local idle = tonumber(ARGV[2])
local present = steady_time(KEYS[4], KEYS[2])
local oldest = idle == 0 and math.huge or present - idle
local unbound = 0
for at = 4, #ARGV do
  local binding = ARGV[3] .. ARGV[at]
  local last_seen = redis.call('HGET', KEYS[2], binding)
  if last_seen and (tonumber(last_seen) or 0) <= oldest then
    unbound = unbound + redis.call('HDEL', KEYS[2], binding)
  end
end
if unbound > 0 then
  redis.call('SET', KEYS[1], ARGV[1])
  -- A binding is as recent as the latest declaration that has it, so what is left of these is bound by others.
  local all = redis.call('HGETALL', KEYS[3])
  for at = 1, #all, 2 do
    local last_seen = tonumber(string.match(all[at + 1], '^%d+') or 0)
    if string.sub(all[at], 1, #ARGV[3]) == ARGV[3] and last_seen <= oldest then
      redis.call('HDEL', KEYS[3], all[at])
    end
  end
end
return unbound
`,
);
