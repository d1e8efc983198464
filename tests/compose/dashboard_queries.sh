#!/usr/bin/env bash
# Asks Prometheus every query of the dashboard, and fails naming each that returns nothing: a metric that was renamed, a
# label that is another one, a service that is not scraped. To be run while a healthy stack is under load.
#
#   tests/compose/dashboard_queries.sh http://localhost:9090
#
# Needs curl and jq.
set -euo pipefail
prometheus=${1:?"usage: $0 URL of Prometheus"}
dashboard=$(dirname "$0")/../../deploy/grafana/dashboards/jodo-sync.json

for program in curl jq; do
  if ! command -v "$program" >/dev/null; then
    echo "$program is missing: apt-get install $program" >&2
    exit 2
  fi
done

asked=0
failed=0
fail() {
  echo "✗ $title: $1" >&2
  echo "    $query" >&2
  failed=$((failed + 1))
}

# Title and query of each target, one a line, as Grafana would ask with all variables at "All".
queries=$(jq -r '.panels[] | .title as $title | .targets[]? | .expr
  | gsub("\\$__rate_interval"; "1m") | gsub("\\$[a-z]+"; ".*") | "\($title)\t\(.)"' "$dashboard")
while IFS=$'\t' read -r title query; do
  asked=$((asked + 1))
  if ! answer=$(curl --silent --show-error --max-time 20 --get --data-urlencode "query=$query" "$prometheus/api/v1/query"); then
    fail "no answer from $prometheus"
  elif [ "$(jq -r .status <<<"$answer")" != success ]; then
    fail "$(jq -r .error <<<"$answer")"
  elif [ "$(jq '.data.result | length' <<<"$answer")" = 0 ]; then
    fail "no data"
  elif [ "$(jq '[.data.result[].value[1] | select(. != "NaN")] | length' <<<"$answer")" = 0 ]; then
    fail "no number, though there is data"
  fi
done <<<"$queries"

echo "$asked queries, $failed without data"
[ "$asked" -gt 0 ] && [ "$failed" = 0 ]
