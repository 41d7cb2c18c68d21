#!/bin/sh
# Makes the development authority and a certificate for each role of each region, under the
# folder given: FOLDER/<region>-<role>/{ca,cert,key}.pem. What is there already stays, so that it can run at
# every start; to renew certificates delete all but FOLDER/authority and run it again, then
# `docker compose kill -s HUP` (docs/operations.md, TLS, tells about replacing the authority).
set -eu
out="$1"
owner="${2:-1000:1000}"
# An image of before TLS, for trying upgrades, could make none.
[ "${STEPPE_TLS:-on}" = on ] || exit 0
steppe="${STEPPE:-node /app/bin/steppe.js}"

mkdir -p "$out/authority"
cd "$out/authority"
[ -f steppe-agent-ca.pem ] || $steppe tls ca create

for region in us eu ap; do
  for role in server client worker nats cli; do
    folder="$out/$region-$role"
    [ -f "$folder/cert.pem" ] && continue
    names="-additional-dnsname=$region-$role"
    for n in 1 2 3; do names="$names -additional-dnsname=$region-$role-$n"; done
    $steppe tls cert create "-$role" -region "$region" $names -out "$region-$role"
    mkdir -p "$folder"
    cp steppe-agent-ca.pem "$folder/ca.pem"
    mv "$region-$role.pem" "$folder/cert.pem"
    mv "$region-$role-key.pem" "$folder/key.pem"
    # Each container sees its own folder only, as a user that is not root.
    [ "$(id -u)" != 0 ] || chown -R "$owner" "$folder"
  done
done
