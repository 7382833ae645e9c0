import { NOW } from "./fan-out.ts";
import { Script } from "./script.ts";

/**
 * All bindings and their version, as of one moment.
 *
 * KEYS  1 version, 2 bindings
 * ARGV  none
 * Reply { version or '', "<use case> <pattern>", ... }
 */
export const loadBindings = new Script(
  "load-bindings",
  `
local reply = redis.call('HKEYS', KEYS[2])
table.insert(reply, 1, redis.call('GET', KEYS[1]) or '')
return reply
`,
);

/**
 * The patterns of one use case, and how long ago each was shown (R6).
 *
 * KEYS  1 bindings
 * ARGV  1 "<use case> "
 * Reply { pattern, milliseconds, ... }
 */
export const shownPatterns = new Script(
  "shown-patterns",
  `
${NOW}
local present = now()
local all = redis.call('HGETALL', KEYS[1])
local reply = {}
for at = 1, #all, 2 do
  if string.sub(all[at], 1, #ARGV[1]) == ARGV[1] then
    reply[#reply + 1] = string.sub(all[at], #ARGV[1] + 1)
    reply[#reply + 1] = math.max(0, present - tonumber(all[at + 1]))
  end
end
return reply
`,
);

/**
 * Unbinds patterns that nobody has shown for so long (R6).
 *
 * KEYS  1 version, 2 bindings
 * ARGV  1 a version never used before, 2 milliseconds, then "<use case> <pattern>"s
 * Reply how many
 */
export const withdraw = new Script(
  "withdraw",
  `
${NOW}
local before = now() - tonumber(ARGV[2])
local gone = 0
for at = 3, #ARGV do
  local shown = redis.call('HGET', KEYS[2], ARGV[at])
  if shown and tonumber(shown) <= before then
    gone = gone + redis.call('HDEL', KEYS[2], ARGV[at])
  end
end
if gone > 0 then
  redis.call('SET', KEYS[1], ARGV[1])
end
return gone
`,
);
