import { NOW } from "./fragments/clock.ts";
import { Script } from "./script.ts";

/**
 * Makes one app the reader of the inbox, and keeps it that (L5). Another may take its place when it gives no sign of life. An
 * end later than a whole turn from now was written before the server's clock was set back (L9).
 *
 * KEYS  1 reader
 * ARGV  1 the app's instance, 2 how long its turn lasts, in milliseconds, 3 '1' if it gives its turn up
 * Reply 1 if it is the app's turn, else 0
 */
export const keepInbox = new Script(
  "keep-inbox",
  "runs-when-full",
  `
${NOW}
local present, length = now(), tonumber(ARGV[2])
local ends, reader = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (.*)$')
if ARGV[3] == '1' then
  if reader == ARGV[1] then
    redis.call('DEL', KEYS[1])
  end
  return 0
end
if reader and reader ~= ARGV[1] and tonumber(ends) > present and tonumber(ends) <= present + length + 1000 then
  return 0
end
redis.call('SET', KEYS[1], string.format('%.0f', present + length) .. ' ' .. ARGV[1])
return 1
`,
);
