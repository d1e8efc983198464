# The ingress sees the sender's own address, whatever a client claims
# shellcheck shell=bash disable=SC2154

gateway=$(docker network inspect -f '{{(index .IPAM.Config 0).Gateway}}' "${project}_public")
curl -s -o /dev/null --cacert secrets/tls/site.crt -H 'X-Forwarded-For: 203.0.113.9' -d '{"event":"forged"}' \
  "https://localhost:$https/webhooks/test"
told() { docker compose logs --no-color ingress | grep -F 'delivery refused' | tail -1; }
seen() { told | grep -qF "\"client.address\":\"$gateway\""; }
within 10 seen
say "a delivery from this machine comes from $gateway, whatever it claims"
