-- What every script begins with: where records are, what one is like, and which meet a condition.
--
-- A record is a hash of its fields, each written as text behind a letter for its type. It is named by its primary key
-- and, where there are realms, its realm behind NUL. Sorted sets without scores hold such names in order: of all records
-- of a kind, and of those that have one value in a key or an index; and names behind the value of a field, for each order
-- that a kind has. All keys begin with one hash tag, so that all of it is in one slot of a cluster.
--
-- What a script changes is staged and written at its end, since Redis takes nothing back of a script that fails.

local prefix = KEYS[1]
local kinds = cjson.decode(ARGV[1])
local NONE = "n"
local CHUNK = 500

local function record_key(kind, name) return prefix .. ":r:" .. kind .. ":" .. name end
local function index_key(kind, field, value) return prefix .. ":x:" .. kind .. ":" .. field .. ":" .. value end
local function all_key(kind) return prefix .. ":a:" .. kind end
local function expiry_key(kind, realm) return prefix .. ":e:" .. kind .. ":" .. (realm or NONE) end

-- The set of an order: its number, the values of the fields that are compared, and the realm where there are realms.
local function order_key(kind, number, values, realm)
  return prefix .. ":o:" .. kind .. ":" .. number .. ":" .. table.concat(values, "\0") .. "\0" .. realm
end

-- The realms that are meant: the one that is named, or all there are; NONE for kinds that know none.
local function realms_of(kind, realm)
  if not kinds[kind].in_realm then return { NONE } end
  return realm and { realm } or redis.call("SMEMBERS", prefix .. ":realms")
end

-- Says whether one text comes before another, byte by byte: Lua compares by the locale of the server.
local function less(one, other)
  for at = 1, math.min(#one, #other) do
    local mine, theirs = string.byte(one, at), string.byte(other, at)
    if mine ~= theirs then return mine < theirs end
  end
  return #one < #other
end

-- A value as text that sorts as the value does.
local function sortable(value)
  local letter, text = string.sub(value, 1, 1), string.sub(value, 2)
  if letter ~= "i" then return text end
  if string.sub(text, 1, 1) ~= "-" then return "1" .. string.rep("0", 20 - #text) .. text end
  local digits = string.gsub(string.sub(text, 2), "%d", function(digit) return tostring(9 - tonumber(digit)) end)
  return "0" .. string.rep("9", 20 - #digits) .. digits
end

local function name_of(kind, fields)
  local known = kinds[kind]
  local name = string.sub(fields[known.primary], 2)
  if known.in_realm then name = name .. "\0" .. string.sub(fields.realm, 2) end
  return name
end

-- --- Reading ---

local staged = {}
local order = {}

local function stored(kind, name)
  local flat = redis.call("HGETALL", record_key(kind, name))
  if #flat == 0 then return nil end
  local fields = {}
  for at = 1, #flat, 2 do fields[flat[at]] = flat[at + 1] end
  return fields
end

local function get(kind, name)
  local mine = staged[kind] and staged[kind][name]
  if mine == false then return nil end
  return mine or stored(kind, name)
end

local function stage(kind, name, fields)
  if not staged[kind] then staged[kind] = {} end
  if staged[kind][name] == nil then table.insert(order, { kind, name }) end
  staged[kind][name] = fields
end

-- `where` is a list of pairs: a field, and the values of which it has to have one.
local function meets(fields, where)
  for _, condition in ipairs(where) do
    local value, met = fields[condition[1]] or NONE, false
    for _, wanted in ipairs(condition[2]) do
      if value == wanted then met = true break end
    end
    if not met then return false end
  end
  return true
end

local function values_of(where, field)
  for _, condition in ipairs(where) do
    if condition[1] == field then return condition[2] end
  end
  return nil
end

-- The sorted sets in which the records that meet a condition are, or else the beginnings of their names.
local function places(kind, where)
  local known, best, least = kinds[kind], nil, nil
  local primaries = values_of(where, known.primary)
  if primaries then return nil, primaries end
  for _, field in ipairs(known.indexes) do
    local values = values_of(where, field)
    if values then
      local sets, count = {}, 0
      for _, value in ipairs(values) do
        local key = index_key(kind, field, value)
        table.insert(sets, key)
        count = count + redis.call("ZCARD", key)
      end
      if not least or count < least then best, least = sets, count end
    end
  end
  return best or { all_key(kind) }, nil
end

-- The names that a primary key may be of: one, or one in each realm.
local function names_of(kind, primary, where)
  local name = string.sub(primary, 2)
  if not kinds[kind].in_realm then return { name } end
  local realms = values_of(where, "realm")
  if not realms then
    return redis.call("ZRANGEBYLEX", all_key(kind), "[" .. name .. "\0", "(" .. name .. "\1")
  end
  local names = {}
  for _, realm in ipairs(realms) do table.insert(names, name .. "\0" .. string.sub(realm, 2)) end
  return names
end

-- All records that meet a condition, as they are staged.
local function matching(kind, where)
  local found, seen = {}, {}
  local function look(name)
    if seen[name] then return end
    seen[name] = true
    local fields = get(kind, name)
    if fields and meets(fields, where) then table.insert(found, { name, fields }) end
  end
  local sets, primaries = places(kind, where)
  for _, primary in ipairs(primaries or {}) do
    for _, name in ipairs(names_of(kind, primary, where)) do look(name) end
  end
  for _, key in ipairs(sets or {}) do
    for _, name in ipairs(redis.call("ZRANGE", key, 0, -1)) do look(name) end
  end
  for name in pairs(staged[kind] or {}) do look(name) end
  return found
end

-- --- Writing ---

local function unindex(kind, name, field, value)
  redis.call("ZREM", index_key(kind, field, value), name)
end

-- The set of an order in which a record is, and its place there; nothing where it has no value for it.
local function place_in(kind, number, order, name, fields)
  local value = fields[order[#order]] or NONE
  if value == NONE then return nil end
  local values = {}
  for at = 1, #order - 1 do table.insert(values, fields[order[at]] or NONE) end
  return order_key(kind, number, values, fields.realm or NONE), sortable(value) .. "\0" .. name
end

local function write_orders(kind, name, before, fields)
  for number, order in ipairs(kinds[kind].orders) do
    local was, old, is, new
    if before then was, old = place_in(kind, number, order, name, before) end
    if fields then is, new = place_in(kind, number, order, name, fields) end
    if was and (was ~= is or old ~= new) then redis.call("ZREM", was, old) end
    if is and (was ~= is or old ~= new) then redis.call("ZADD", is, 0, new) end
  end
end

local function write(kind, name, fields)
  local known, before, key = kinds[kind], stored(kind, name), record_key(kind, name)
  for _, field in ipairs(known.indexes) do
    local was = before and (before[field] or NONE)
    local is = fields and (fields[field] or NONE)
    if was and was ~= is then unindex(kind, name, field, was) end
    if is and was ~= is then redis.call("ZADD", index_key(kind, field, is), 0, name) end
  end
  write_orders(kind, name, before, fields)
  if fields and kinds[kind].in_realm then redis.call("SADD", prefix .. ":realms", fields.realm) end
  if not fields then
    redis.call("DEL", key)
    redis.call("ZREM", all_key(kind), name)
    if before then redis.call("ZREM", expiry_key(kind, before.realm), name) end
    return
  end
  for field in pairs(before or {}) do
    if (fields[field] or NONE) == NONE then redis.call("HDEL", key, field) end
  end
  for field, value in pairs(fields) do
    if value ~= NONE and not (before and before[field] == value) then redis.call("HSET", key, field, value) end
  end
  if not before then redis.call("ZADD", all_key(kind), 0, name) end
  local expires = known.expires and (fields[known.expires] or NONE) or NONE
  if expires == NONE then
    redis.call("ZREM", expiry_key(kind, fields.realm), name)
  else
    redis.call("ZADD", expiry_key(kind, fields.realm), string.sub(expires, 2), name)
  end
end

local function write_staged()
  for _, place in ipairs(order) do write(place[1], place[2], staged[place[1]][place[2]]) end
end

-- A record as Redis answers it: names and values in turn.
local function flat(fields)
  local list = {}
  for name, value in pairs(fields) do
    table.insert(list, name)
    table.insert(list, value)
  end
  return list
end
