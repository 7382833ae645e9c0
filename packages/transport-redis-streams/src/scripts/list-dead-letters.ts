import { Script } from "./script.ts";

/**
 * Reads one page of dead letters. A page ends early where it grows too large.
 *
 * KEYS  1 dead, 2 dead-order
 * ARGV  1 'newest' or 'oldest', 2 the position that the page begins after, or '', 3 the most dead letters, 4 the most bytes
 * Reply { position of the last, or '' if nothing follows, id, packed event, ... }
 */
export const listDeadLetters = new Script(
  "list-dead-letters",
  "runs-when-full",
  `
local after, limit = ARGV[2], tonumber(ARGV[3])
local found
if ARGV[1] == 'newest' then
  found = redis.call('ZREVRANGEBYSCORE', KEYS[2], after == '' and '+inf' or '(' .. after, '-inf', 'WITHSCORES', 'LIMIT', 0, limit + 1)
else
  found = redis.call('ZRANGEBYSCORE', KEYS[2], after == '' and '-inf' or '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, limit + 1)
end
local reply = { '' }
local bytes = 0
for at = 1, #found, 2 do
  local event = redis.call('HGET', KEYS[1], found[at])
  if #reply >= 2 * limit + 1 or (#reply > 1 and bytes + #(event or '') > tonumber(ARGV[4])) then
    reply[1] = found[at - 1]
    return reply
  end
  if event then
    bytes = bytes + #event
    reply[#reply + 1] = found[at]
    reply[#reply + 1] = event
  end
end
return reply
`,
);
