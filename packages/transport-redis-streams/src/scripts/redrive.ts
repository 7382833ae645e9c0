import { Script } from "./script.ts";

/**
 * Puts dead letters back into their queue (D4).
 *
 * KEYS  1 dead, 2 dead-order, 3 queue
 * ARGV  id and packed event of each
 * Reply how many there were
 */
export const redrive = new Script(
  "redrive",
  "runs-when-full",
  `
local count = 0
for at = 1, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[at]) == 1 then
    redis.call('XADD', KEYS[3], '*', 'e', ARGV[at + 1])
    redis.call('ZREM', KEYS[2], ARGV[at])
    redis.call('HDEL', KEYS[1], ARGV[at])
    count = count + 1
  end
end
return count
`,
);
