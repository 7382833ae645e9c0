import { NOW } from "./fragments/clock.ts";
import { Script } from "./script.ts";

/**
 * Lists the patterns bound to one use case, and how long ago an instance last declared each (R6).
 *
 * KEYS  1 bindings
 * ARGV  1 "<use case> "
 * Reply { pattern, milliseconds, ... }
 */
export const listPatterns = new Script(
  "list-patterns",
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
