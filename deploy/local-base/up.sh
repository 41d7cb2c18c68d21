#!/bin/sh
# Where no image registry can be reached: an engine, the images, the cluster of compose.yaml, and its story.
# Arguments are docker compose's: `up.sh --env-file deploy/ha.env`.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
DOCKER_HOST=$(sh scripts/docker-engine.sh)
export DOCKER_HOST
sh deploy/local-base/build.sh dev
compose="docker compose"
docker compose version >/dev/null 2>&1 || compose=docker-compose
$compose -p steppe -f deploy/compose.yaml "$@" up -d --no-build
node_modules/.bin/node test/docker/story.ts
echo "It goes on running. To end it: DOCKER_HOST=$DOCKER_HOST $compose -p steppe -f deploy/compose.yaml down -v"
