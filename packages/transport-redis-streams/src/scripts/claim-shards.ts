import { Script } from "./script.ts";

/**
 * Tells how many shards a namespace has, and sets that where it has no use cases yet.
 *
 * KEYS  1 shards, 2 bindings, both of the first shard
 * ARGV  1 how many an app is set to
 * Reply how many there are
 */
export const claimShards = new Script(
  "claim-shards",
  "runs-when-full",
  `
local found = redis.call('GET', KEYS[1])
if found then
  return tonumber(found)
end
if redis.call('HLEN', KEYS[2]) > 0 then
  return 1
end
if ARGV[1] ~= '1' then
  redis.call('SET', KEYS[1], ARGV[1])
end
return tonumber(ARGV[1])
`,
);
