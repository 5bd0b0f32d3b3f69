-- Answers up to `limit` records that meet a condition, in order of their names, those behind the primary key `after`.

local asked = cjson.decode(ARGV[2])
local kind, where, limit = asked.kind, asked.where, asked.limit
local found, seen = {}, {}

local function look(name)
  if seen[name] then return false end
  seen[name] = true
  local fields = stored(kind, name)
  if not (fields and meets(fields, where)) then return false end
  if asked.after and not less(asked.after, string.sub(fields[kinds[kind].primary], 2)) then return false end
  table.insert(found, { name, fields })
  return true
end

local sets, primaries = places(kind, where)
for _, primary in ipairs(primaries or {}) do
  for _, name in ipairs(names_of(kind, primary, where)) do look(name) end
end
for _, key in ipairs(sets or {}) do
  local low, met = asked.after and ("[" .. asked.after) or "-", 0
  while met < limit do
    local names = redis.call("ZRANGEBYLEX", key, low, "+", "LIMIT", 0, CHUNK)
    for _, name in ipairs(names) do
      if met < limit and look(name) then met = met + 1 end
    end
    if #names < CHUNK then break end
    low = "(" .. names[#names]
  end
end
table.sort(found, function(one, other) return less(one[1], other[1]) end)
local answer = {}
for at = 1, math.min(limit, #found) do table.insert(answer, flat(found[at][2])) end
return answer
