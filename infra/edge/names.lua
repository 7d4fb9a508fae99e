-- An application behind Daytona's proxy knows itself by the one name that Daytona
-- is told, {port}-{id} and the domain. A client that came by {id}-{port} stays
-- there: where a field of the answer has an address of that name, it gets the
-- client's. An address within another's query is left as it is, for a login
-- server compares the redirect_uri with what the application tells it later.

-- Longest scheme with what may stand before it: "https:".
local reach = 8

-- Whether an address begins at this "//", at the beginning of the value or
-- behind what separates addresses.
local function begins(value, first, separators)
  local before = value:sub(math.max(1, first - reach), first - 1):match("^(.-)%a*:?$")
  if before == "" then
    return first <= reach
  end
  return before:find(separators .. "$") ~= nil
end

local function renamed(value, told, came, separators)
  local parts, from = {}, 1
  while true do
    local first, last = value:find(told, from, true)
    if not first then
      break
    end
    local ends = not value:find("^[%w.%-]", last + 1)
    local name = ends and begins(value, first, separators) and came or told
    table.insert(parts, value:sub(from, first - 1) .. name)
    from = last + 1
  end
  table.insert(parts, value:sub(from))
  return table.concat(parts)
end

-- Cookies are for one host anyway, and a foreign origin that was allowed stays so.
core.register_action("name_back", { "http-res" }, function(txn)
  local told = "//" .. txn:get_var("txn.told")
  local came = "//" .. txn:get_var("txn.came")
  local is_own = txn:get_var("txn.is_own_origin") ~= nil
  for name, values in pairs(txn.http:res_get_headers()) do
    local separators = name == "refresh" and "[%s<,;\"'(=]" or "[%s<,;\"'(]"
    local changed = {}
    local is_changed = false
    for index = 0, #values do
      changed[index] = renamed(values[index], told, came, separators)
      is_changed = is_changed or changed[index] ~= values[index]
    end
    if is_changed and name ~= "set-cookie" and (is_own or not name:find("allow-origin", 1, true)) then
      txn.http:res_del_header(name)
      for index = 0, #changed do
        txn.http:res_add_header(name, changed[index])
      end
    end
  end
end)
