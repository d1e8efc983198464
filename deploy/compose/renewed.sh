#!/bin/sh
# certbot's deploy hook: puts the renewed certificate where the proxy reads it, and has it read.
# RENEWED_LINEAGE is the folder of the certificate, set by certbot.
set -eu
cd "$(dirname "$0")/../.."
cat "$RENEWED_LINEAGE/fullchain.pem" "$RENEWED_LINEAGE/privkey.pem" >secrets/tls/site.pem.new
chmod 644 secrets/tls/site.pem.new
cp "$RENEWED_LINEAGE/fullchain.pem" secrets/tls/site.crt
mv secrets/tls/site.pem.new secrets/tls/site.pem
docker compose kill --signal USR2 proxy
