-- Keeps a credential that the gateway added to a request out of the answer:
-- whatever a real host says back to the sandbox (an echo, an error with the
-- headers in it), the secret is stars there, as many as it had characters, so
-- no length changes. Only the last word of txn.credential is secret: what
-- stands before it is a scheme, such as Bearer.

local Redact = {}
Redact.__index = Redact
Redact.id = "redact"
Redact.flags = filter.FLT_CFG_FL_HTX

function Redact:new()
  return setmetatable({}, Redact)
end

local function masked(text, secret)
  local first, last = text:find(secret, 1, true)
  if not first then
    return nil
  end
  local parts, from = {}, 1
  while first do
    parts[#parts + 1] = text:sub(from, first - 1)
    parts[#parts + 1] = ("*"):rep(#secret)
    from = last + 1
    first, last = text:find(secret, from, true)
  end
  parts[#parts + 1] = text:sub(from)
  return table.concat(parts)
end

-- How many bytes at the end of the text may be the beginning of the secret.
local function begun(text, secret)
  for length = math.min(#secret - 1, #text), 1, -1 do
    if text:sub(-length) == secret:sub(1, length) then
      return length
    end
  end
  return 0
end

function Redact:start_analyze(txn, channel)
  if channel:is_resp() then
    filter.register_data_filter(self, channel)
  end
end

function Redact:http_headers(txn, message)
  if not message:is_resp() then
    return filter.CONTINUE
  end
  self.secret = (txn:get_var("txn.credential") or ""):match("%S+$")
  if not self.secret then
    return filter.ERROR
  end
  -- HAProxy writes the names of headers in lower case.
  local lower = self.secret:lower()
  for name, values in pairs(message:get_headers()) do
    local clean, found = {}, name:find(lower, 1, true) ~= nil
    for index = 0, #values do
      local value = masked(values[index], self.secret)
      found = found or value ~= nil
      clean[#clean + 1] = value or values[index]
    end
    if found then
      message:del_header(name)
      for _, value in ipairs(clean) do
        message:add_header(masked(name, lower) or name, value)
      end
    end
  end
  return filter.CONTINUE
end

function Redact:http_payload(txn, message)
  if not message:is_resp() then
    return filter.CONTINUE
  end
  local text = message:body()
  if not text or text == "" then
    return filter.CONTINUE
  end
  local clean = masked(text, self.secret)
  if clean then
    message:set(clean)
    text = clean
  end
  -- A secret may come in two pieces: its beginning waits for what follows.
  local held = message:eom() and 0 or begun(text, self.secret)
  message:forward(#text - held)
  return filter.WAIT
end

core.register_filter("redact", Redact, function(instance)
  return instance
end)
