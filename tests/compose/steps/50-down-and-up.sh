# `down` and `up` with 10,000 messages in the queue
# shellcheck shell=bash disable=SC2154

docker compose stop worker >>"$work/up.log" 2>&1
load 50 10000 400
answered 50
queued() { inside rabbitmq rabbitmqctl -q list_queues name messages | awk '$1 ~ /apply.trial$/ {print $2}'; }
enough() { [ "$(queued)" -ge 10000 ]; }
within 60 enough
say "$(queued) messages wait"
docker compose down >>"$work/up.log" 2>&1
[ -z "$(docker compose ps -aq)" ] || fail "down left containers"
up
verified
