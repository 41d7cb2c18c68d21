#!/bin/sh
# Writes this node's configuration and runs nats-server on it.
#
# REGION            whose NATS this is
# NODE              1, 2 or 3
# STEPPE_NATS_NODES nodes of the region: 1 or 3
# STEPPE_TLS        off: clear text and no authentication (only to try upgrades from versions without TLS)
set -eu
nodes="${STEPPE_NATS_NODES:-1}"
if [ "$NODE" -gt "$nodes" ]; then
  echo "node $NODE of $nodes: start the ha profile with --env-file deploy/ha.env" >&2
  exit 1
fi
name="$REGION-nats-$NODE"

# An acknowledged entry is on disk, where the server can be told so; 2.9 cannot.
case "$(nats-server --version)" in
  *v2.[0-9].*) sync="" ;;
  *) sync="sync_interval: always" ;;
esac

# Servers and workers of the region, by the names in their certificates; node agents and other regions are nobody here.
tls="" ; users="" ; route_tls="" ; scheme="nats"
if [ "${STEPPE_TLS:-on}" != off ]; then
  files="cert_file: /certs/cert.pem, key_file: /certs/key.pem, ca_file: /certs/ca.pem"
  tls="tls { $files, verify_and_map: true, timeout: 5 }"
  users="authorization { users: [ { user: \"server.$REGION.steppe\" }, { user: \"worker.$REGION.steppe\" } ] }"
  # A node of the cluster must show a certificate for one of the names in routes.
  route_tls="tls { $files, verify_cert_and_check_known_urls: true, timeout: 5 }"
fi

cluster=""
if [ "$nodes" -gt 1 ]; then
  routes=""
  for n in $(seq 1 "$nodes"); do routes="$routes \"nats://$REGION-nats-$n:6222\","; done
  cluster="cluster { name: $REGION, listen: \"0.0.0.0:6222\", routes: [$routes], $route_tls }"
fi

cat >/tmp/nats.conf <<CONF
server_name: $name
listen: "0.0.0.0:4222"
client_advertise: "$name:4222"
http: "127.0.0.1:8222"
jetstream { store_dir: /data, max_memory_store: 64MB, max_file_store: 8GB
$sync
}
$tls
$users
$cluster
CONF
exec nats-server -c /tmp/nats.conf
