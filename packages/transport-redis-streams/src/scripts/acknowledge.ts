import { OWN_ENTRIES } from "./fragments/own-entries.ts";
import { Script } from "./script.ts";

/**
 * Acknowledges and deletes entries of one consumer that are done. An entry that no longer belongs to it is left alone (L3).
 * While its lease has never ended, nobody has taken one from it, so that they need no look.
 *
 * KEYS  1 queue, 2 leases
 * ARGV  1 the group, 2 the consumer, then entries
 * Reply { 1 if the consumer's lease has ended, else 0; how many were acknowledged, then, where it has ended, the indexes
 *         of the entries that were not, from 0 }
 */
export const acknowledge = new Script(
  "acknowledge",
  "runs-when-full",
  `
local queue, leases, group, consumer = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
${OWN_ENTRIES}
if not lease_ended then
  local acknowledged = redis.call('XACK', queue, group, unpack(ARGV, 3))
  redis.call('XDEL', queue, unpack(ARGV, 3))
  return { 0, acknowledged }
end
local reply = { 1, 0 }
for at = 3, #ARGV do
  if pending(ARGV[at]) then
    remove(ARGV[at])
    reply[2] = reply[2] + 1
  else
    reply[#reply + 1] = at - 3
  end
end
return reply
`,
);
