# Prometheus finds every process, each query of the dashboard returns data, and a delivery is one trace
# shellcheck shell=bash disable=SC2154

cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p jodo-test-support --bin otlp-receiver
receiver=$(cargo metadata --quiet --format-version 1 --no-deps --manifest-path "$root/Cargo.toml" | jq -r .target_directory)/debug/otlp-receiver
gateway=$(docker network inspect -f '{{(index .IPAM.Config 0).Gateway}}' "${project}_internal")
"$receiver" "$gateway:4318" >"$work/spans.json" 2>>"$work/receiver.log" &
printf '\n[traces]\notlp_url = "http://%s:4318"\nsample = 0\n' "$gateway" >>jodo-sync.toml
recreate ingress
recreate worker
docker compose --profile watch up --detach --wait --no-recreate prometheus >>"$work/up.log" 2>&1 || fail "no Prometheus"

load 80 12000 100
queries() { "$root/tests/compose/dashboard_queries.sh" "http://127.0.0.1:$PROMETHEUS_PORT" >"$work/queries.log" 2>&1; }
within 110 queries
say "$(tail -1 "$work/queries.log")"
up=$(curl -sf "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query?query=up" | jq -r '.data.result[] | "\(.metric.job)=\(.value[1])"' | sort | tr '\n' ' ')
say "$up"
[[ " $up" != *=0* ]] || fail "Prometheus does not reach: $up"

trace=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
body=tests/fixtures/events/direct.payment.added.json
signature=$(openssl dgst -sha256 -hmac "$(cat secrets/test_signing_secret)" -r <"$body" | cut -d' ' -f1)
curl -sf -o /dev/null --cacert secrets/tls/site.crt -H "traceparent: 00-$trace-00f067aa0ba902b7-01" \
  -H 'content-type: application/json' -H "x-jodo-signature: $signature" --data-binary "@$body" "https://localhost:$https/webhooks/test"
whole() { [ "$(jq -r --arg t "$trace" 'select(.trace_id == $t) | .name' "$work/spans.json" | sort | tr '\n' ' ')" = "apply commit publish receive " ]; }
within 30 whole
say "trace: $(jq -rs --arg t "$trace" 'map(select(.trace_id == $t)) | sort_by(.start)[] | "\(.name) by \(."service.name")"' "$work/spans.json" | paste -sd, -)"
answered 80
