/** Part of scripts: `now()`, the server's clock in milliseconds with fractions. */
export const NOW = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end
`;
