-- Applies a plan whole or not at all. Answers {"ok", count, …}: how many records each part met that may meet any number;
-- {"unmet", number} of the change whose condition does not hold; or {"duplicate", kind}.

local plan = cjson.decode(ARGV[2])

local function contains(list, wanted)
  for _, each in ipairs(list) do
    if each == wanted then return true end
  end
  return false
end

local function in_realm_of(kind, fields, where)
  if kinds[kind].in_realm then table.insert(where, { "realm", { fields.realm } }) end
  return where
end

-- Says whether another record than `name` has this value in a key.
local function is_held(kind, field, value, fields, name)
  for _, holder in ipairs(matching(kind, in_realm_of(kind, fields, { { field, { value } } }))) do
    if holder[1] ~= name then return true end
  end
  return false
end

-- Sets fields of records; returns the kind where a key would be taken twice.
local function set(kind, found, values)
  for field, value in pairs(values) do
    if value ~= NONE and #found > 0 and contains(kinds[kind].keys, field) then
      if #found > 1 or is_held(kind, field, value, found[1][2], found[1][1]) then return kind end
    end
  end
  for _, record in ipairs(found) do
    local fields = {}
    for field, value in pairs(record[2]) do fields[field] = value end
    for field, value in pairs(values) do fields[field] = value end
    stage(kind, record[1], fields)
  end
  return nil
end

local counts = { "ok" }
for number, change in ipairs(plan.changes) do
  local found = matching(change.kind, change.where)
  if #found == 0 then return { "unmet", number } end
  if next(change.values) then
    local taken = set(change.kind, found, change.values)
    if taken then return { "duplicate", taken } end
  end
end
for _, change in ipairs(plan.all_changes) do
  local found = matching(change.kind, change.where)
  local taken = set(change.kind, found, change.values)
  if taken then return { "duplicate", taken } end
  table.insert(counts, #found)
end
for _, removal in ipairs(plan.removals) do
  local found = matching(removal.kind, removal.where)
  for _, record in ipairs(found) do stage(removal.kind, record[1], false) end
  table.insert(counts, #found)
end
for _, addition in ipairs(plan.additions) do
  local kind, fields = addition.kind, addition.fields
  local name = name_of(kind, fields)
  local known = get(kind, name) ~= nil
  for _, field in ipairs(kinds[kind].keys) do
    local value = fields[field] or NONE
    known = known or (value ~= NONE and field ~= kinds[kind].primary and is_held(kind, field, value, fields, name))
  end
  if not known then
    stage(kind, name, fields)
  elseif not addition.unless_known then
    return { "duplicate", kind }
  end
end
write_staged()
return counts
