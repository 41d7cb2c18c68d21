#!/bin/sh
# Prints the address of a Docker engine that can be used: DOCKER_HOST's, the machine's own, or one that
# it starts, as root, with data, socket and log of its own. Installs Debian's docker.io and docker-compose
# where there are none and it may. Ends with 1 and says why when there can be none.
set -eu
say() { echo "docker-engine: $*" >&2; }
home="${STEPPE_DOCKER_HOME:-/var/lib/steppe-docker}"
own="unix://$home/docker.sock"
answers() { docker -H "$1" version >/dev/null 2>&1; }

root=no; [ "$(id -u)" != 0 ] || root=yes
if ! command -v docker >/dev/null || { ! command -v dockerd >/dev/null && ! answers "${DOCKER_HOST:-unix:///var/run/docker.sock}"; }; then
  if [ "$root" = yes ] && command -v apt-get >/dev/null; then
    say "installing Debian's docker.io …"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get install -y -qq docker.io iptables busybox-static || { apt-get update -qq && apt-get install -y -qq docker.io iptables busybox-static; }; } >/dev/null 2>&1 ||
      say "apt-get could not install docker.io"
  fi
fi
if ! docker compose version >/dev/null 2>&1 && ! command -v docker-compose >/dev/null; then
  [ "$root" = no ] || apt-get install -y -qq docker-compose >/dev/null 2>&1 || say "there is no docker compose, and apt-get could not install docker-compose"
fi
# Images that are built on this machine's own files have their shell from it.
command -v busybox >/dev/null || [ "$root" = no ] || apt-get install -y -qq busybox-static >/dev/null 2>&1 || say "apt-get could not install busybox-static"
# Lets the clocks of containers jump, one by one.
ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || [ "$root" = no ] || apt-get install -y -qq faketime >/dev/null 2>&1 || say "apt-get could not install faketime"
# Stands in for Prometheus' own image where no registry can be reached.
command -v prometheus >/dev/null || [ "$root" = no ] || apt-get install -y -qq --no-install-recommends prometheus >/dev/null 2>&1 || say "apt-get could not install prometheus"
command -v docker >/dev/null || { say "there is no docker command, and it could not be installed"; exit 1; }
for host in "${DOCKER_HOST:-}" unix:///var/run/docker.sock "$own" unix:///run/steppe-docker/docker.sock; do
  [ -n "$host" ] || continue
  if answers "$host"; then echo "$host"; exit 0; fi
done
command -v dockerd >/dev/null || { say "no engine answers, and there is no dockerd to start"; exit 1; }
[ "$root" = yes ] || { say "no engine answers, and only root can start one"; exit 1; }

mkdir -p "$home"
# An engine outlives its caller, and is not to hold what that has open, as the lock of flock(1).
for fd in 3 4 5 6 7 8 9; do eval "exec $fd>&-"; done
say "starting an engine on $own (log: $home/dockerd.log)"
# Debian's two iptables: whichever the kernel has.
start() {
  setsid dockerd --data-root "$home/data" --exec-root "$home/exec" --pidfile "$home/dockerd.pid" -H "$own" "$@" \
    >>"$home/dockerd.log" 2>&1 </dev/null &
  for _ in $(seq 1 60); do
    if answers "$own"; then return 0; fi
    kill -0 $! 2>/dev/null || return 1
    sleep 0.5
  done
  return 1
}
start || start --storage-driver vfs || { say "dockerd did not start: $(tail -3 "$home/dockerd.log")"; exit 1; }
echo "$own"
