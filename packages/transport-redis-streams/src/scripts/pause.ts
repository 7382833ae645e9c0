import { NOW } from "./fragments/clock.ts";
import { Script } from "./script.ts";

/**
 * Notes that a use case is paused, by the server's clock, unless it is already. Also on a server that is full: that may be why.
 *
 * KEYS  1 paused
 * ARGV  1 the use case
 * Reply 1 if it was not paused before, else 0
 */
export const pause = new Script(
  "pause",
  "runs-when-full",
  `
${NOW}
return redis.call('HSETNX', KEYS[1], ARGV[1], string.format('%.0f', now()))
`,
);
