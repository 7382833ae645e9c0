import { Script } from "./script.ts";

/**
 * One page of dead letters; a page ends early where it grows too large.
 *
 * KEYS  1 dead, 2 dead-order
 * ARGV  1 'newest' or 'oldest', 2 the place the page begins behind, or '', 3 the most letters, 4 the most bytes
 * Reply { place of the last or '' if nothing follows, id, packed event, ... }
 */
export const listLetters = new Script(
  "list-letters",
  `
local behind, limit = ARGV[2], tonumber(ARGV[3])
local found
if ARGV[1] == 'newest' then
  found = redis.call('ZREVRANGEBYSCORE', KEYS[2], behind == '' and '+inf' or '(' .. behind, '-inf', 'WITHSCORES', 'LIMIT', 0, limit + 1)
else
  found = redis.call('ZRANGEBYSCORE', KEYS[2], behind == '' and '-inf' or '(' .. behind, '+inf', 'WITHSCORES', 'LIMIT', 0, limit + 1)
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

/**
 * Puts dead letters back into their queue (D4).
 *
 * KEYS  1 dead, 2 dead-order, 3 queue
 * ARGV  id and packed event of each
 * Reply how many there were
 */
export const redrive = new Script(
  "redrive",
  `
local count = 0
for at = 1, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[at]) == 1 then
    redis.call('XADD', KEYS[3], '*', 'e', ARGV[at + 1])
    redis.call('ZREM', KEYS[2], ARGV[at])
    redis.call('HDEL', KEYS[1], ARGV[at])
    count = count + 1
  end
end
return count
`,
);

/**
 * Destroys dead letters.
 *
 * KEYS  1 dead, 2 dead-order
 * ARGV  'all', or 'some' and ids
 * Reply how many there were
 */
export const purge = new Script(
  "purge",
  `
if ARGV[1] == 'all' then
  local count = redis.call('HLEN', KEYS[1])
  redis.call('UNLINK', KEYS[1], KEYS[2])
  return count
end
local count = 0
for at = 2, #ARGV do
  count = count + redis.call('HDEL', KEYS[1], ARGV[at])
  redis.call('ZREM', KEYS[2], ARGV[at])
end
return count
`,
);
