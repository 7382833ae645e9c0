import { NOW } from "./fragments/clock.ts";
import { Script } from "./script.ts";

/**
 * Unbinds those of the given patterns that no instance has declared for a while (R6).
 *
 * KEYS  1 version, 2 bindings
 * ARGV  1 a version never used before, 2 how long, in milliseconds, then "<use case> <pattern>"s
 * Reply how many were unbound
 */
export const unbindStale = new Script(
  "unbind-stale",
  `
${NOW}
local oldest = now() - tonumber(ARGV[2])
local unbound = 0
for at = 3, #ARGV do
  local last_seen = redis.call('HGET', KEYS[2], ARGV[at])
  if last_seen and tonumber(last_seen) <= oldest then
    unbound = unbound + redis.call('HDEL', KEYS[2], ARGV[at])
  end
end
if unbound > 0 then
  redis.call('SET', KEYS[1], ARGV[1])
end
return unbound
`,
);
