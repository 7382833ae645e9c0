import { FAN_OUT } from "./fragments/fan-out.ts";
import { Script } from "./script.ts";

/**
 * Stores events in the queue of every use case they go to, if the bindings are still those the caller matched with
 * (R1 to R3).
 *
 * KEYS  1 version, then queues
 * ARGV  1 the version the caller knows, then arguments of fan_out
 * Reply 0; -1 if the bindings have changed and nothing was stored
 */
export const publish = new Script(
  "publish",
  "refused-when-full",
  `
${FAN_OUT}
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return -1
end
local problem = check_queues(2)
if problem then
  return problem
end
fan_out(2, #ARGV)
return 0
`,
);
