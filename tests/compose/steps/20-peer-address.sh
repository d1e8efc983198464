# The ingress sees the sender's own address, whatever a client claims
# shellcheck shell=bash disable=SC2154

gateway=$(docker network inspect -f '{{(index .IPAM.Config 0).Gateway}}' "${project}_public")
curl -s -o /dev/null --cacert secrets/tls/site.crt -H 'X-Forwarded-For: 203.0.113.9' -d '{"event":"forged"}' \
  "https://localhost:$https/webhooks/test"
seen() { docker compose logs --no-color ingress | grep -F '"verdict":"bad' | tail -1; }
docker compose logs --no-color ingress | tail -3
