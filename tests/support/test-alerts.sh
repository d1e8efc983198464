#!/usr/bin/env bash
# Checks what the docker-compose deployment gives to Prometheus and Grafana, with Prometheus' own promtool: every rule, the
# configuration, each alert where it fires and where it stays silent, and the syntax of the dashboard's queries.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v promtool >/dev/null; then
  # As in install-services.sh: a container where it is not installed.
  promtool() {
    docker run --rm --interactive --volume "$PWD/deploy:/work/deploy:ro" --workdir /work --entrypoint promtool \
      prom/prometheus:v2.55.1 "$@"
  }
fi

folder=deploy/prometheus
promtool check config "$folder/prometheus.yml"
promtool test rules "$folder"/*_test.yml

# Each query as a rule, since promtool of Debian cannot check a query by itself. JSON is YAML.
rules=deploy/.dashboard-rules.yml
trap 'rm -f "$rules"' EXIT
jq '{groups: [{name: "dashboard", rules: [
    [.. | objects | .expr? // empty | gsub("\\$__rate_interval"; "1m") | gsub("\\$[a-z]+"; ".*")]
    | to_entries[] | {record: "query:\(.key)", expr: .value}]}]}' \
  deploy/grafana/dashboards/jodo-sync.json >"$rules"
promtool check rules "$rules"
