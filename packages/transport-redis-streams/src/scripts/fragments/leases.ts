/**
 * Part of the scripts that renew leases. They have `now()`.
 *
 *     correct_leases(leases, present, length, was_away)
 *
 * To be called before a lease is renewed. `length` is the caller's.
 *
 * If all leases have ended, or the caller itself was away, the server or the network may have been, or the server's clock
 * has jumped, and whoever came back first would take everything from the others. So each of them gets half its own lease to
 * come back, which is longer than the pauses in which it tries.
 *
 * A lease cannot end later than its length from now. One that does was renewed before the server's clock was set back, and is
 * shortened, or a dead process would keep its events for as long as the clock was set back (L9). Its length is part of the
 * consumer's name.
 */
export const LEASES = `
local function correct_leases(leases, present, length, was_away)
  local SLACK_MS = 1000
  local function length_of(consumer)
    return tonumber(string.match(consumer, ':(%d+) ') or length)
  end
  local newest = tonumber(redis.call('ZREVRANGE', leases, 0, 0, 'WITHSCORES')[2] or -1)
  local all_ended = newest >= 0 and newest <= present
  if all_ended or was_away then
    local from = string.format('%.0f', all_ended and 0 or present)
    local ends = redis.call('ZRANGEBYSCORE', leases, from, '+inf', 'WITHSCORES')
    for at = 1, #ends, 2 do
      local grace = present + length_of(ends[at]) / 2
      if tonumber(ends[at + 1]) < grace then
        redis.call('ZADD', leases, string.format('%.0f', grace), ends[at])
      end
    end
  end
  if newest > present + length + SLACK_MS then
    local ends = redis.call('ZRANGEBYSCORE', leases, string.format('%.0f', present + SLACK_MS), '+inf', 'WITHSCORES')
    for at = 1, #ends, 2 do
      local latest = present + length_of(ends[at])
      if tonumber(ends[at + 1]) > latest + SLACK_MS then
        redis.call('ZADD', leases, string.format('%.0f', latest), ends[at])
      end
    end
  end
end
`;
