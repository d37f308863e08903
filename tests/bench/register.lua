-- Posts registrations with a new sha each. Arguments: a file with a path and a token on each line, a file with a body in
-- which @SHA@ stands for the sha, and 26 hexadecimal digits for shas to begin with.

local threads = 0

function setup(thread)
  thread:set("thread_number", threads)
  threads = threads + 1
end

function init(args)
  calls = {}
  for line in io.lines(args[1]) do
    local path, token = line:match("^(%S+) (%S+)$")
    table.insert(calls, {
      path = path,
      headers = {["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. token},
    })
  end
  local file = assert(io.open(args[2]))
  before, after = file:read("*a"):match("^(.*)@SHA@(.*)$")
  file:close()
  prefix = args[3]
  count = 0
end

function request()
  count = count + 1
  local call = calls[(count + thread_number * 97) % #calls + 1]
  local sha = string.format("%s%02x%012x", prefix, thread_number, count)
  return wrk.format("POST", call.path, call.headers, before .. sha .. after)
end

-- wrk counts an answer of 400 and above as a status error; times are in microseconds.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"answers": %d, "microseconds": %d, "p50": %d, "p99": %d, "status_errors": %d, "socket_errors": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
