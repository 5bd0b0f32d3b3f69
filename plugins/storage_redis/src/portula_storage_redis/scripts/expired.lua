-- Counts up to `limit` records that expired before `now`, those of one realm if one is named; deletes them if `purge`.

local asked = cjson.decode(ARGV[2])
local kind, now = asked.kind, "(" .. asked.now
local ending = asked.realm and ("\0" .. asked.realm)
local found, offset = {}, 0

while #found < asked.limit do
  local names = redis.call("ZRANGEBYSCORE", expiry_key(kind), "-inf", now, "LIMIT", offset, CHUNK)
  for _, name in ipairs(names) do
    if #found < asked.limit and (not ending or string.sub(name, -#ending) == ending) then table.insert(found, name) end
  end
  if #names < CHUNK then break end
  offset = offset + CHUNK
end
if asked.purge then
  for _, name in ipairs(found) do stage(kind, name, false) end
  write_staged()
end
return #found
