import { Script } from "./script.ts";

/**
 * Reads all bindings and their version in one step.
 *
 * KEYS  1 version, 2 bindings
 * ARGV  none
 * Reply { version or '', "<use case> <pattern>", ... }
 */
export const loadBindings = new Script(
  "load-bindings",
  "reads-only",
  `
local reply = redis.call('HKEYS', KEYS[2])
table.insert(reply, 1, redis.call('GET', KEYS[1]) or '')
return reply
`,
);
