import { Script } from "./script.ts";

/**
 * Reads what the server that has the namespace says of itself; of a cluster's, a command without a key would reach any.
 *
 * KEYS  1 any key of the namespace
 * ARGV  none
 * Reply { the reply of INFO, the server's clock in milliseconds }
 */
export const lookAtServer = new Script(
  "look-at-server",
  "reads-only",
  `
local time = redis.call('TIME')
return { redis.call('INFO'), time[1] * 1000 + math.floor(time[2] / 1000) }
`,
);
