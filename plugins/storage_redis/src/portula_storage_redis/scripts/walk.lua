-- Answers up to `limit` records in order of a field and, among equal ones, of their names; see WalkingStore.walk.

local asked = cjson.decode(ARGV[2])
local kind, limit = asked.kind, asked.limit
local low, high = "-", "+"
if asked.prefix ~= "" then low, high = "[" .. asked.prefix, "(" .. asked.prefix .. "\255" end
if asked.after then
  local place = sortable(asked.after[1]) .. "\0" .. asked.after[2]
  if asked.descending then
    if high == "+" or less(place, string.sub(high, 2)) then high = "(" .. place end
  else
    place = place .. "\0\255" -- behind the record of this name in whatever realm
    if low == "-" or less(string.sub(low, 2), place) then low = "(" .. place end
  end
end

local realms = realms_of(kind, asked.realm)

local found = {}
for _, realm in ipairs(realms) do
  local key, met = order_key(kind, asked.order, asked.values, realm), nil
  if asked.descending then
    met = redis.call("ZREVRANGEBYLEX", key, high, low, "LIMIT", 0, limit)
  else
    met = redis.call("ZRANGEBYLEX", key, low, high, "LIMIT", 0, limit)
  end
  for _, place in ipairs(met) do table.insert(found, place) end
end
if #realms > 1 then
  table.sort(found, function(one, other)
    if asked.descending then return less(other, one) end
    return less(one, other)
  end)
end
local answer = {}
for at = 1, math.min(limit, #found) do
  local name = string.sub(found[at], string.find(found[at], "\0", 1, true) + 1)
  local fields = stored(kind, name)
  if fields then table.insert(answer, flat(fields)) end
end
return answer
