-- Answers the record that meets a condition, followed by those that it points to; an empty list for one that is not there.

local asked = cjson.decode(ARGV[2])
local found = matching(asked.kind, asked.where)
if #found == 0 then return {} end
table.sort(found, function(one, other) return less(one[1], other[1]) end)
local answer = { flat(found[1][2]) }
for _, pointer in ipairs(asked.along) do
  local value = pointer.value or found[1][2][pointer.field] or NONE
  local others = {}
  if value ~= NONE then
    local where = { { pointer.key, { value } } }
    if pointer.realm then table.insert(where, { "realm", { pointer.realm } }) end
    others = matching(pointer.kind, where)
  end
  table.insert(answer, #others > 0 and flat(others[1][2]) or {})
end
return answer
