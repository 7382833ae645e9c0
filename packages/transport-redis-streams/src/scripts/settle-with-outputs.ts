import { FAN_OUT } from "./fragments/fan-out.ts";
import { OWN_ENTRIES } from "./fragments/own-entries.ts";
import { Script } from "./script.ts";

/**
 * Stores what handlers have put out, each event's outputs and its acknowledgement in one step. An entry that no longer
 * belongs to the consumer is left alone, and its outputs are not stored (L3).
 *
 * A script that fails midway is not rolled back, so outputs are stored before their entry is removed from the queue.
 *
 * KEYS  1 version, 2 queue, 3 leases, then the outputs' queues
 * ARGV  1 the version of the bindings that the outputs were matched with, 2 the group, 3 the consumer, then for each: the
 *       entry, '1' if this repeats a run whose reply was lost, '1' if its other outputs follow, so that it is not acknowledged
 *       yet, n, n arguments of fan_out
 * Reply { 1 if the consumer's lease has ended, else 0; then the indexes of those that are not the consumer's, from 0 };
 *       -1 if the bindings have changed and nothing was done
 */
export const settleWithOutputs = new Script(
  "settle-with-outputs",
  "refused-when-full",
  `
${FAN_OUT}
local version, queue, leases, group, consumer = KEYS[1], KEYS[2], KEYS[3], ARGV[2], ARGV[3]
if (redis.call('GET', version) or '') ~= ARGV[1] then
  return -1
end
local problem = check_queues(4)
if problem then
  return problem
end
${OWN_ENTRIES}
local reply = { lease_ended and 1 or 0 }
local at, index = 4, 0
while at <= #ARGV do
  local count = tonumber(ARGV[at + 3])
  if pending(ARGV[at]) then
    fan_out(at + 4, at + 3 + count)
    if ARGV[at + 2] ~= '1' then
      remove(ARGV[at])
    end
  elseif not stored_before(ARGV[at + 1]) then
    reply[#reply + 1] = index
  end
  at = at + 4 + count
  index = index + 1
end
return reply
`,
);
