import { Script } from "./script.ts";

/**
 * Finds what is no longer there of what was declared: the bindings, their version, queues and groups (L8).
 *
 * KEYS  1 version, 2 bindings, then the use cases' queues
 * ARGV  1 the group, then for each use case: n, n bindings of the form "<use case> <pattern>"
 * Reply { 1 if the version is missing, else 0; then the indexes of the use cases of which something is missing, from 0 }
 */
export const findMissing = new Script(
  "find-missing",
  "runs-when-full",
  `
local reply = { redis.call('EXISTS', KEYS[1]) == 0 and 1 or 0 }
local at = 2
for key = 3, #KEYS do
  local count = tonumber(ARGV[at])
  -- There is no such group, or no such queue.
  local missing = redis.pcall('XPENDING', KEYS[key], ARGV[1]).err ~= nil
  for binding = at + 1, at + count do
    missing = missing or redis.call('HEXISTS', KEYS[2], ARGV[binding]) == 0
  end
  if missing then
    reply[#reply + 1] = key - 3
  end
  at = at + 1 + count
end
return reply
`,
);
