-- wrk: GET of the URL it was given.
-- wrk: prints what it measured as one line of JSON. Latencies in microseconds.
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '{"requests":%d,"durationUs":%d,"bytes":%d,"failed":%d,"p50Us":%d,"p99Us":%d,"maxUs":%d}\n',
    summary.requests, summary.duration, summary.bytes, failed,
    latency:percentile(50), latency:percentile(99), latency.max))
end
