import { Script } from "./script.ts";

/**
 * Deletes dead letters.
 *
 * KEYS  1 dead, 2 dead-order
 * ARGV  'all', or 'some' and ids
 * Reply how many there were
 */
export const purge = new Script(
  "purge",
  "runs-when-full",
  `
if ARGV[1] == 'all' then
  local count = redis.call('HLEN', KEYS[1])
  redis.call('UNLINK', KEYS[1], KEYS[2])
  return count
end
local count = 0
for at = 2, #ARGV do
  count = count + redis.call('HDEL', KEYS[1], ARGV[at])
  redis.call('ZREM', KEYS[2], ARGV[at])
end
return count
`,
);
