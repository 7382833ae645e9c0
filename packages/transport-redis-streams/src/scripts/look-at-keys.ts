import { Script } from "./script.ts";

/**
 * Finds keys that are not of the type they have to be, or that expire.
 *
 * KEYS  any
 * ARGV  for each key the type that it has to be
 * Reply for each such key: its index, from 0, the type that it is, '1' if it expires, else '0'
 */
export const lookAtKeys = new Script(
  "look-at-keys",
  "reads-only",
  `
local reply = {}
for index, key in ipairs(KEYS) do
  local found = redis.call('TYPE', key).ok
  local expires = redis.call('PTTL', key) >= 0
  if (found ~= 'none' and found ~= ARGV[index]) or expires then
    reply[#reply + 1] = index - 1
    reply[#reply + 1] = found
    reply[#reply + 1] = expires and '1' or '0'
  end
end
return reply
`,
);
