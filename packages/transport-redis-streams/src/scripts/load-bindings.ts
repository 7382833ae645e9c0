import { Script } from "./script.ts";

/**
 * Reads all bindings, the tails, and their version in one step.
 *
 * KEYS  1 version, 2 bindings, 3 tails
 * ARGV  none
 * Reply { version or '', { "<use case> <pattern>", ... }, { tail, "<when it ends> <pattern> <pattern> ...", ... } }
 */
export const loadBindings = new Script(
  "load-bindings",
  "reads-only",
  `
return { redis.call('GET', KEYS[1]) or '', redis.call('HKEYS', KEYS[2]), redis.call('HGETALL', KEYS[3]) }
`,
);
