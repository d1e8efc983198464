# Workers 1 to 4 and ingress 1 to 2 and back, under load
# shellcheck shell=bash disable=SC2034,SC2154

load 30 6000 150
workers=4 ingresses=2
up --no-recreate
[ "$(docker compose ps -q worker | wc -l)" = 4 ] && [ "$(docker compose ps -q ingress | wc -l)" = 2 ] || fail "not scaled up"
under_way 30 || fail "the load was over before"
# Both take part: each has answered a delivery since.
both() { for id in $(docker compose ps -q ingress); do
  address=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$id" | cut -d' ' -f1)
  curl -sf "http://$address:9180/metrics" | grep -q '^jodo_sync_deliveries_received_total.*status="200"' || return 1
done; }
within 20 both
say "two ingresses share the load, four workers stand behind them"
ingresses=1
up --no-recreate
under_way 30 || fail "the load was over before the second ingress went"
say "one ingress again"
answered 30
verified
