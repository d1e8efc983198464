# A fresh start: healthy, unprivileged, nothing published but the proxy, no secret to be seen
# shellcheck shell=bash disable=SC2154

deploy/compose/prepare.sh
[ "$(stat -c %a secrets)" = 700 ] || fail "others may look into secrets/"
images
up
docker compose ps --format '   {{.Service}}: {{.Status}}'

published=$(docker compose ps --format '{{.Service}} {{.Ports}}' | grep -- '->' | cut -d' ' -f1)
[ "$published" = proxy ] || fail "published: $published"
for service in proxy ingress worker; do
  id=$(container $service)
  [ "$(docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.Config.User}} {{.HostConfig.CapDrop}}' "$id")" = "true 10001:10001 [ALL]" ] \
    || fail "$service: $(docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.Config.User}} {{.HostConfig.CapDrop}}' "$id")"
done
for service in $(docker compose config --services); do
  id=$(container "$service")
  [ -z "$id" ] && continue
  [ "$(docker inspect -f '{{.HostConfig.Memory}}' "$id")" != 0 ] || fail "$service has no memory limit"
  [ "$(docker inspect -f '{{index .HostConfig.LogConfig.Config "max-size"}}' "$id")" = 50m ] || fail "$service: its log is not rotated"
  [ "$(docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' "$id")" = unless-stopped ] || fail "$service is not restarted"
  [ -n "$(docker inspect -f '{{.Config.Healthcheck}}' "$id")" ] || fail "$service has no health check"
done

# Size above the base image, and from start to ready.
base=$(docker image inspect -f '{{.Size}}' debian:bookworm-slim)
for limit in ingress:40 worker:60; do
  size=$((($(docker image inspect -f '{{.Size}}' "jodo-${limit%:*}:$JODO_SYNC_TAG") - base) / 1000000))
  say "jodo-${limit%:*}: $size MB above the base image"
  [ $size -le "${limit#*:}" ] || fail "larger than ${limit#*:} MB"
done

# The path over TLS, the one without, and no other.
status() { curl -s -o /dev/null -w '%{http_code}' --cacert secrets/tls/site.crt "$@"; }
[ "$(status -d '{}' "https://localhost:$https/webhooks/test")" = 401 ] || fail "unsigned over TLS: $(status -d '{}' "https://localhost:$https/webhooks/test")"
[ "$(status -d '{}' "http://localhost:$http/webhooks/test")" = 401 ] || fail "unsigned without TLS"
[ "$(status "https://localhost:$https/metrics")" = 404 ] || fail "the private listener can be reached"
[ "$(status -d '{}' "https://localhost:$https/webhooks/nothing")" = 404 ] || fail "another path"

# From start to ready, as an operator would wait for it.
for service in ingress:9180 worker:9181; do
  id=$(container "${service%:*}")
  docker restart -t 30 "$id" >/dev/null
  began=$(docker inspect -f '{{.State.StartedAt}}' "$id")
  address=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$id" | cut -d' ' -f1)
  within 30 curl -sf -o /dev/null "http://$address:${service#*:}/readyz"
  say "jodo-${service%:*}: ready $(awk "BEGIN {print $(date +%s.%N) - $(date -d "$began" +%s.%N)}") s after its start"
done
