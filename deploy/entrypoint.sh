#!/bin/sh
# Runs steppe. STEPPE_LOCAL_CONFIG, JSON as an agent's file has it, is read after all other files.
set -eu
if [ -n "${STEPPE_LOCAL_CONFIG:-}" ]; then
  printf '%s' "$STEPPE_LOCAL_CONFIG" >/tmp/local.json
  set -- "$@" -config /tmp/local.json
fi
exec node /app/bin/steppe.js "$@"
