import { Script } from "./script.ts";

/**
 * Reads one page of dead letters. A page ends early where it grows too large.
 *
 * KEYS  1 dead, 2 dead-order
 * ARGV  1 'newest' or 'oldest', 2 the position that the page begins after, or '', 3 the most dead letters, 4 the most bytes,
 *       5 the position of the newest that counts, or ''
 * Reply { position of the last, or '' if nothing follows, then for each: its id, position and packed event }
 */
export const listDeadLetters = new Script(
  "list-dead-letters",
  "reads-only",
  `
local after, limit = ARGV[2], tonumber(ARGV[3])
local last = ARGV[5] == '' and '+inf' or ARGV[5]
local found
if ARGV[1] == 'newest' then
  found = redis.call('ZREVRANGEBYSCORE', KEYS[2], after == '' and last or '(' .. after, '-inf', 'WITHSCORES', 'LIMIT', 0, limit + 1)
else
  found = redis.call('ZRANGEBYSCORE', KEYS[2], after == '' and '-inf' or '(' .. after, last, 'WITHSCORES', 'LIMIT', 0, limit + 1)
end
local reply = { '' }
local bytes = 0
for at = 1, #found, 2 do
  local event = redis.call('HGET', KEYS[1], found[at])
  if #reply >= 3 * limit + 1 or (#reply > 1 and bytes + #(event or '') > tonumber(ARGV[4])) then
    reply[1] = found[at - 1]
    return reply
  end
  if event then
    bytes = bytes + #event
    reply[#reply + 1] = found[at]
    reply[#reply + 1] = found[at + 1]
    reply[#reply + 1] = event
  end
end
if #found > 2 * limit then
  -- A position without a dead letter, which somebody has deleted: what follows the last one looked at is not known.
  reply[1] = found[#found]
end
return reply
`,
);
