/**
 * Begins a version that a tail has made where nothing was declared. It is not one of declarations: while there is no other,
 * publishers wait for what was declared before as if there were none (L8).
 */
export const VERSION_OF_TAIL = "tail:";

/**
 * Part of the scripts about bindings.
 *
 *     nothing_declared(version)
 *
 * Whether nothing has been declared since the version was last deleted, if it ever was.
 *
 *     change_version(version, new, ttl)
 *
 * Lets publishers load the bindings again. Where nothing is declared the version lasts no longer than the tail it is for.
 */
export const VERSION = `
local VERSION_OF_TAIL = '${VERSION_OF_TAIL}'
local function nothing_declared(version)
  local found = redis.call('GET', version)
  return not found or string.sub(found, 1, #VERSION_OF_TAIL) == VERSION_OF_TAIL
end

local function change_version(version, new, ttl)
  if nothing_declared(version) then
    redis.call('SET', version, VERSION_OF_TAIL .. new, 'PX', ttl)
  else
    redis.call('SET', version, new)
  end
end
`;
