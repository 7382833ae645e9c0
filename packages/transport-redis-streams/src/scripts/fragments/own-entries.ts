/**
 * Part of the scripts that settle. They have `queue`, `leases`, `group` and `consumer`.
 *
 *     lease_ended
 *
 * Whether the consumer's lease has ended. While it never has, nobody has taken an entry from it.
 *
 *     pending(entry)
 *
 * Returns what is known of an entry if it is pending for this consumer: { entry, consumer, idle, deliveries }.
 *
 *     stored_before(repeated)
 *
 * Whether an entry that is not pending any more was settled by an earlier run of the same script, whose reply was lost.
 *
 *     remove(entry)
 *
 * Acknowledges an entry and deletes it.
 */
export const OWN_ENTRIES = `
local lease_ended = tonumber(redis.call('ZSCORE', leases, consumer) or -1) < 0

local function pending(entry)
  return redis.call('XPENDING', queue, group, entry, entry, 1, consumer)[1]
end

local function stored_before(repeated)
  return repeated == '1' and not lease_ended
end

local function remove(entry)
  redis.call('XACK', queue, group, entry)
  redis.call('XDEL', queue, entry)
end
`;
