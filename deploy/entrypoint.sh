#!/bin/sh
# Runs steppe. STEPPE_LOCAL_CONFIG, JSON as an agent's file has it, is read after all other files.
set -eu
if [ -n "${STEPPE_LOCAL_CONFIG:-}" ]; then
  printf '%s' "$STEPPE_LOCAL_CONFIG" >/tmp/local.json
  set -- "$@" -config /tmp/local.json
fi
# For tests (test/docker): a wall clock that jumps. The file tells by how much, like "+90"; the library is in
# images of deploy/local-base only.
clock="/etc/steppe/clock/$(hostname)"
if [ -e "$clock" ]; then
  export LD_PRELOAD=/usr/local/lib/libfaketime.so.1 FAKETIME_TIMESTAMP_FILE="$clock"
  export FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_CACHE_DURATION=1 NO_FAKE_STAT=1
fi
exec node /app/bin/steppe.js "$@"
