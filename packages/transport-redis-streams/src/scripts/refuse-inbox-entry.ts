import { Script } from "./script.ts";

/**
 * Moves an entry of the inbox that is not an event to a stream of its own, which keeps the latest thousand or so, and fewer
 * where they are large. An entry with more fields than Lua passes on at once becomes several.
 *
 * KEYS  1 inbox, 2 refused
 * ARGV  1 the entry's id
 * Reply 1 if it was there
 */
export const refuseInboxEntry = new Script(
  "refuse-inbox-entry",
  "runs-when-full",
  `
local MAX_VALUES = 4000
local MAX_ENTRIES, MAX_BYTES = 1000, 16777216
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then
  return 0
end
local fields, bytes = entry[2], 1
for _, value in ipairs(fields) do
  bytes = bytes + #value
end
local parts = math.ceil(#fields / MAX_VALUES)
local keep = math.max(parts, math.min(MAX_ENTRIES, math.floor(MAX_BYTES / bytes) * parts))
for from = 1, #fields, MAX_VALUES do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', keep, '*', unpack(fields, from, math.min(from + MAX_VALUES - 1, #fields)))
end
return redis.call('XDEL', KEYS[1], ARGV[1])
`,
);
