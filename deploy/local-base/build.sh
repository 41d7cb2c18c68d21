#!/bin/sh
# Makes what compose.yaml needs where no image registry can be reached: base images FROM scratch
# out of this machine's own node, nats-server, busybox and the libraries they name, and steppe on top.
#
#   deploy/local-base/build.sh [TAG]      steppe:TAG and steppe-nats:TAG (dev unless set)
#
# SOURCE=PATH builds steppe from another checkout (with its node_modules), for trying upgrades. BASES=keep takes the base
# images that are there.
# Needs: Debian's nats-server and busybox-static, and the project's own node_modules. With Debian's faketime, too,
# tests can let clocks jump.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
source=$(cd "${SOURCE:-$root}" && pwd)
tag="${1:-dev}"
node="$root/node_modules/node/bin/node"
nats=$(PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v nats-server) || { echo "nats-server is not installed: npm run setup" >&2; exit 1; }
busybox=$(command -v busybox) || { echo "busybox is not installed: apt-get install busybox-static" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A root file system with a shell, and a program with its libraries.
rootfs() {
  fs="$work/$1"
  mkdir -p "$fs/bin" "$fs/usr/bin" "$fs/usr/local/bin" "$fs/etc/ssl/certs" "$fs/tmp" "$fs/root"
  chmod 1777 "$fs/tmp"
  cp "$busybox" "$fs/bin/busybox"
  for applet in $("$busybox" --list | grep -vx busybox); do ln -sf /bin/busybox "$fs/bin/$applet"; done
  cp "$2" "$fs/usr/local/bin/$3"
  ldd "$2" 2>/dev/null | grep -o '/[^ )]*' | while read -r library; do
    mkdir -p "$fs$(dirname "$library")"
    cp -L "$library" "$fs$library"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n' >"$fs/etc/passwd"
  printf 'root:x:0:\nnode:x:1000:\n' >"$fs/etc/group"
  printf 'hosts: files dns\n' >"$fs/etc/nsswitch.conf"
  [ ! -f /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$fs/etc/ssl/certs/"
}

base() {
  printf 'FROM scratch\nLABEL steppe.local-base=\nCOPY . /\nENV PATH=/usr/local/bin:/usr/bin:/bin\nCMD ["/bin/sh"]\n' >"$work/$1.Dockerfile"
  docker build -q -t "steppe-local/$1" -f "$work/$1.Dockerfile" "$work/$1"
}

kept() { [ "${BASES:-}" = keep ] && docker image inspect "$1" >/dev/null 2>&1; }

if ! kept steppe-local/node; then
  rootfs node "$node" node
  # Moves the wall clock of a process, for tests that let it jump. Debian's faketime has it.
  for library in /usr/lib/*/faketime/libfaketime.so.1; do
    [ ! -e "$library" ] || { mkdir -p "$work/node/usr/local/lib" && cp "$library" "$work/node/usr/local/lib/"; }
  done
  base node
fi

if ! kept steppe-local/nats; then
  rootfs nats "$nats" nats-server
  base nats
fi
docker build -q -t "steppe-nats:$tag" --build-arg NATS_IMAGE=steppe-local/nats "$root/deploy/nats"

# For the monitoring profile, where Debian's prometheus is installed: PROMETHEUS_IMAGE=steppe-local/prometheus.
if prometheus=$(command -v prometheus) && ! kept steppe-local/prometheus; then
  rootfs prometheus "$prometheus" prometheus
  cat >"$work/prometheus.Dockerfile" <<FILE
FROM scratch
LABEL steppe.local-base=
COPY . /
ENV PATH=/usr/local/bin:/usr/bin:/bin
# A new volume takes its owner from here.
RUN mkdir /prometheus && chown 1000:1000 /prometheus
USER 1000:1000
VOLUME /prometheus
ENTRYPOINT ["prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
FILE
  docker build -q -t steppe-local/prometheus -f "$work/prometheus.Dockerfile" "$work/prometheus"
fi

# The package, with what it needs at run time, as npm has already brought it here.
cd "$source"
"$source/node_modules/.bin/node" scripts/build.js
"$root/node_modules/.bin/node" "$here/install.js" "$source"
context="$work/context"
mkdir -p "$context/deploy"
cp -R "$source/dist" "$context/dist"
cp "$root/deploy/entrypoint.sh" "$root/deploy/healthcheck.js" "$context/deploy/"
docker build -q -t "steppe:$tag" -f "$root/deploy/Dockerfile" \
  --build-arg NODE_IMAGE=steppe-local/node --build-arg PACKAGE=given "$context"
# What a tag pointed at before; images built on a base have its label.
docker image prune -f --filter label=steppe.local-base >/dev/null
