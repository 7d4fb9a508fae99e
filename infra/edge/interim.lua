-- HAProxy 3.0 ends itself when a final rule of a response (deny, return,
-- redirect) fires while an interim answer (1xx) of the same stream still lies
-- in its buffer: the stream is worked on without end, and the watchdog aborts
-- the process. So such rules wait until nothing lies there, and a client that
-- does not read for so long gets the sandbox's answer under another status.

local pause = 5 -- milliseconds
local pauses = 200

-- Sets txn.interim_sent once every interim answer has left the buffer.
core.register_action("send_interim", { "http-res" }, function(txn)
  local response = txn.res
  for _ = 1, pauses do
    if response:output() == 0 then
      break
    end
    core.msleep(pause)
  end
  txn:set_var("txn.interim_sent", response:output() == 0)
end)
