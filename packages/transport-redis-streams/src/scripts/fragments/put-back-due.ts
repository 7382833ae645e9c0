/**
 * Part of the script that every consumer runs regularly.
 *
 *     put_back_due(queue, due, waiting, present, limit)
 *
 * Puts at most `limit` waiting events that are due back into the queue, and fewer where they are large. Returns the
 * milliseconds until the next event is due, or -1 if none waits.
 */
export const PUT_BACK_DUE = `
local function put_back_due(queue, due, waiting, present, limit)
  local bytes = 0
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', string.format('%.3f', present), 'LIMIT', 0, limit)) do
    local event = redis.call('HGET', waiting, id)
    if event then
      redis.call('XADD', queue, '*', 'e', event)
      redis.call('HDEL', waiting, id)
      bytes = bytes + #event
    end
    redis.call('ZREM', due, id)
    if bytes > 4194304 then break end
  end
  local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
  return first and math.max(0, math.ceil(tonumber(first) - present)) or -1
end
`;
