import { Script } from "./script.ts";

/**
 * Finds which calls of a publisher were carried out whose replies are lost (P2).
 *
 * KEYS  1 the publisher's calls
 * ARGV  1 for how many milliseconds to keep the notes from now on, then for each call: its slot, its number
 * Reply the numbers of those that were
 */
export const findCalls = new Script(
  "find-calls",
  "runs-when-full",
  `
local reply = {}
for at = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[at]) == ARGV[at + 1] then
    reply[#reply + 1] = tonumber(ARGV[at + 1])
  end
end
-- A write, so that a WAIT on this connection covers what was written on the one before.
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return reply
`,
);
