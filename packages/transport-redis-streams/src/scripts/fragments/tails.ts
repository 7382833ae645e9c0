import { VERSION } from "./version.ts";

/**
 * Part of the scripts about tails. They have `now()`, and the arguments of all of them begin with: 1 a version never used
 * before, 2 the tail, 3 its patterns, separated by blanks, 4 after how many milliseconds without a sign of its reader it ends.
 * Their KEYS are: 1 version, 2 tails, 3 the tail's stream, 4 its state.
 *
 *     register()
 *
 * Notes the tail where publishers look, and lets them look again if it was not there. Forgets those that have ended.
 */
export const TAILS = `
${VERSION}
local version, tails, stream, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local new, id, patterns, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local function register()
  local present = now()
  local all = redis.call('HGETALL', tails)
  for at = 1, #all, 2 do
    -- One that ends later than any can was noted before the server's clock was set back.
    local ends = tonumber(string.match(all[at + 1], '^%d+') or 0)
    if ends < present or ends > present + 2 * ttl then
      redis.call('HDEL', tails, all[at])
    end
  end
  if redis.call('HSET', tails, id, string.format('%.0f', present + ttl) .. ' ' .. patterns) == 1 then
    change_version(version, new, ttl)
  elseif nothing_declared(version) then
    redis.call('PEXPIRE', version, ttl)
  end
  for _, key in ipairs({ tails, stream, state }) do
    redis.call('PEXPIRE', key, ttl)
  end
end
`;
