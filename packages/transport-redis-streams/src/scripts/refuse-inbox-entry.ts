import { Script } from "./script.ts";

/**
 * Moves an entry of the inbox that is not an event to a stream of its own.
 *
 * KEYS  1 inbox, 2 refused
 * ARGV  1 the entry's id
 * Reply 1 if it was there
 */
export const refuseInboxEntry = new Script(
  "refuse-inbox-entry",
  `
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then
  return 0
end
redis.call('XADD', KEYS[2], '*', unpack(entry[2]))
return redis.call('XDEL', KEYS[1], ARGV[1])
`,
);
