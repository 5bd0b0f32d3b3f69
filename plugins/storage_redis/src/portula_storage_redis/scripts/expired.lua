-- Counts up to `limit` records that expired before `now`, those of one realm if one is named; deletes them if `purge`,
-- the oldest first.

local asked = cjson.decode(ARGV[2])
local kind, found = asked.kind, {}

for _, realm in ipairs(realms_of(kind, asked.realm)) do
  local met = redis.call(
    "ZRANGEBYSCORE", expiry_key(kind, realm), "-inf", "(" .. asked.now, "WITHSCORES", "LIMIT", 0, asked.limit
  )
  for at = 1, #met, 2 do table.insert(found, { met[at], tonumber(met[at + 1]) }) end
end
table.sort(found, function(one, other) return one[2] < other[2] end)
local count = math.min(asked.limit, #found)
if asked.purge then
  for at = 1, count do stage(kind, found[at][1], false) end
  write_staged()
end
return count
