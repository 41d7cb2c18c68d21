-- wrk: PUT of distinct jobs. Arguments: a prefix of the ids; the body of a job whose ID is "@".
local count = 0
local thread_count = 0

function setup(thread)
  thread:set("number", thread_count)
  thread_count = thread_count + 1
end

function init(args)
  local at = string.find(args[2], "@", 1, true)
  before = string.sub(args[2], 1, at - 1)
  after = string.sub(args[2], at + 1)
  prefix = args[1] .. "-" .. number .. "-"
end

function request()
  count = count + 1
  return wrk.format("PUT", "/v1/jobs", nil, before .. prefix .. count .. after)
end

-- wrk: prints what it measured as one line of JSON. Latencies in microseconds.
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '{"requests":%d,"durationUs":%d,"bytes":%d,"failed":%d,"p50Us":%d,"p99Us":%d,"maxUs":%d}\n',
    summary.requests, summary.duration, summary.bytes, failed,
    latency:percentile(50), latency:percentile(99), latency.max))
end
