import { FAN_OUT } from "./fan-out.ts";
import { Script } from "./script.ts";

/**
 * Stores events for every use case that wants them, if the bindings are still those the caller matched with (R1 to R3).
 *
 * KEYS  1 version, then queues
 * ARGV  1 the version the caller knows, then as fan_out takes them
 * Reply 0; -1 if the bindings have changed: nothing is stored
 */
export const publish = new Script(
  "publish",
  `
${FAN_OUT}
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return -1
end
local problem = no_queue(2)
if problem then
  return problem
end
fan_out(2, #ARGV)
return 0
`,
);
