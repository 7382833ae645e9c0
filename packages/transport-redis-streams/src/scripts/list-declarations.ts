import { NOW } from "./fragments/clock.ts";
import { STEADY_CLOCK } from "./fragments/steady-clock.ts";
import { Script } from "./script.ts";

/**
 * Lists what is declared, and how long ago an instance last declared it (R5, R6).
 *
 * KEYS  1 bindings, 2 declarations, 3 clock
 * ARGV  1 "<use case> ", or '' for all of the namespace
 * Reply { { binding, milliseconds, ... }, { declaration, milliseconds, " <pattern> <pattern> ...", ... } }
 */
export const listDeclarations = new Script(
  "list-declarations",
  "reads-only",
  `
${NOW}
${STEADY_CLOCK}
local present = steady_now(KEYS[3], KEYS[1])
local function each(key, take)
  local all = redis.call('HGETALL', key)
  for at = 1, #all, 2 do
    if string.sub(all[at], 1, #ARGV[1]) == ARGV[1] then
      take(all[at], all[at + 1])
    end
  end
end
local function idle(last_seen)
  return math.max(0, present - (tonumber(last_seen) or 0))
end

local bindings, declarations = {}, {}
each(KEYS[1], function(field, last_seen)
  bindings[#bindings + 1] = field
  bindings[#bindings + 1] = idle(last_seen)
end)
each(KEYS[2], function(field, value)
  local last_seen, patterns = string.match(value, '^(%d+)(.*)$')
  declarations[#declarations + 1] = field
  declarations[#declarations + 1] = idle(last_seen)
  declarations[#declarations + 1] = patterns or ''
end)
return { bindings, declarations }
`,
);
