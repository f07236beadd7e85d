-- For wrk: a line for every answer that is not 200, with the time it came, its status and the first line of its body.
local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long microseconds; } bascule_time;
  int gettimeofday(bascule_time *now, void *zone);
]]
local now = ffi.new("bascule_time")
local file

function init()
  file = assert(io.open(os.getenv("RECORD_TO"), "a"))
end

function response(status, headers, body)
  if status ~= 200 then
    ffi.C.gettimeofday(now, nil)
    file:write(string.format("%d.%06d %d %s\n", tonumber(now.seconds), tonumber(now.microseconds), status, body:match("[^\r\n]*")))
    file:flush()
  end
end
