# What the steps share. shellcheck shell=bash

title() { echo; echo "== $* ($(date +%T))"; }
say() { echo "   $*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
needs() { for program; do command -v "$program" >/dev/null || fail "$program is missing: sudo apt-get install $program"; done; }

# A project, ports, a network and image tags of its own, in a copy of the tree without anybody's secrets.
begin() {
  project=jodo-test-$$
  https=${TEST_HTTPS_PORT:-18443} http=${TEST_HTTP_PORT:-18080}
  work=$(mktemp -d "${TMPDIR:-/tmp}/$project.XXXX")
  (cd "$root" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$work" 2>/dev/null) || true
  cd "$work" || exit 1
  export COMPOSE_PROJECT_NAME=$project EDGE_SUBNET=${TEST_EDGE_SUBNET:-172.16.244.0/24}
  export HTTPS_PORT=$https HTTP_PORT=$http JODO_SYNC_TAG=$project PROMETHEUS_PORT=${TEST_PROMETHEUS_PORT:-19090}
  # shellcheck source=tests/compose/standins.sh
  . "$here/standins.sh"
}

# Takes everything away, whatever happened, and looks whether something is left.
finish() {
  local code=$1
  set +e
  if [ "$code" != 0 ]; then
    echo "--- the last of the logs ---" >&2
    docker compose logs --no-color --tail 15 2>/dev/null | cut -c1-300 >&2
    if [ -n "${KEEP:-}" ]; then echo "left standing: project $project, folder $work" >&2; exit "$code"; fi
  fi
  jobs -p | xargs -r kill 2>/dev/null
  docker ps -aq --filter "name=$project-load" | xargs -r docker rm -f >/dev/null
  docker compose --profile '*' down --volumes --remove-orphans --timeout 60 >/dev/null 2>&1
  # By name: an image that another name stands for, too, stays.
  docker images --format '{{.Repository}}:{{.Tag}}' "jodo-*:$project*" | xargs -r docker rmi >/dev/null 2>&1
  cd / && rm -rf "$work"
  local left
  left=$(docker ps -aq --filter "name=$project"; docker volume ls -q --filter "name=$project"
    docker network ls -q --filter "name=$project"; docker images -q "jodo-*:$project*")
  if [ -n "$left" ]; then echo "FAILED: left behind: $left" >&2; code=1; fi
  if [ "$code" = 0 ]; then echo; echo "compose: all steps passed, nothing is left behind"; fi
  exit "$code"
}

# Builds the images, or takes those with the tag that IMAGES names.
images() {
  if [ -n "${IMAGES:-}" ]; then
    for program in ingress worker sync; do docker tag "jodo-$program:$IMAGES" "jodo-$program:$JODO_SYNC_TAG"; done
    return
  fi
  docker compose build >"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; fail "docker compose build"; }
}

# Starts or brings up to date what the files say, at the scale that `scale` has set.
workers=1 ingresses=1
up() { docker compose up --detach --wait --wait-timeout 180 --scale worker="$workers" --scale ingress="$ingresses" "$@" >>"$work/up.log" 2>&1 || {
  tail -20 "$work/up.log" >&2; docker compose ps -a >&2; fail "docker compose up"; }; }

# Containers of one service made anew, with the settings of now.
recreate() {
  local scale=()
  [ "$1" != worker ] || scale=(--scale "worker=$workers")
  [ "$1" != ingress ] || scale=(--scale "ingress=$ingresses")
  docker compose up --detach --wait --force-recreate --no-deps "${scale[@]}" "$1" >>"$work/up.log" 2>&1 || {
    tail -20 "$work/up.log" >&2; fail "docker compose up --force-recreate $1"; }
}

# A command of jodo-sync, inside.
jodo() { docker compose run --rm --no-TTY jodo-sync "$@" 2>>"$work/commands.log"; }

# Sends what happens in a school of its own (seed $1), $2 events at $3 a second, from this machine through the published
# port and TLS; in the background as load number $1.
seeds=()
load() {
  local seed=$1 events=$2 rate=$3
  seeds+=("$seed")
  docker run --detach --network host --name "$project-load-$seed" --env SSL_CERT_FILE=/site.crt \
    --env JODO_SYNC__SOURCES__TEST__SECRETS_FILE=/secret --env JODO_SYNC__SOURCES__TEST__ENVIRONMENT=test \
    --volume "$work/secrets/tls/site.crt:/site.crt:ro" --volume "$work/secrets/test_signing_secret:/secret:ro" \
    "jodo-sync:$JODO_SYNC_TAG" simulate --url "https://localhost:$https/webhooks/test" --source test --i-mean-it \
    --seed "$seed" --events "$events" --students 200 --shuffle --rate "$rate" --connections 32 >/dev/null
}
under_way() { [ "$(docker inspect -f '{{.State.Running}}' "$project-load-$1")" = true ]; }

# Waits for the end of a load. Whatever was not answered 200 is a failure, unless $2 names why it was to be expected.
answered() {
  local seed=$1 planned=${2:-} code
  code=$(docker wait "$project-load-$seed")
  docker logs "$project-load-$seed" >"$work/load-$seed.log" 2>&1
  docker rm "$project-load-$seed" >/dev/null
  grep -E '│.*(│|┆)' "$work/load-$seed.log" | sed 's/^/   /'
  [ "$code" = 0 ] && return
  if [ -n "$planned" ]; then say "planned: $planned"; return; fi
  tail -20 "$work/load-$seed.log" >&2
  fail "load $seed: not every delivery was answered 200"
}

# Every event sent so far is in the trial database, and every view shows what it must.
verified() { jodo simulate verify --source test --wait 180 >"$work/verify.log" || { cat "$work/verify.log"; fail "simulate verify"; }
  sed 's/^/   /' "$work/verify.log" | tail -2; }

container() { docker compose ps -q "$1" | sed -n "${2:-1}p"; }
inside() { docker compose exec -T "$@"; }
sql() { inside postgres psql -U postgres -d "$1" -qAtc "$2"; }

# Asks again and again until it is so, for at most $1 seconds.
within() {
  local seconds=$1; shift
  local end=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || fail "not within $seconds s: $*"; sleep 0.1; done
}
# A metric's value, summed over the processes of a service.
metric() { # SERVICE PORT SERIES
  local ip sum=0 value
  for id in $(docker compose ps -q "$1"); do
    ip=$(docker inspect -f "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}" "$id" | cut -d' ' -f1)
    value=$(curl -sf -m 5 "http://$ip:$2/metrics" | grep -F "$3" | grep -v '^#' | awk '{n += $NF} END {print n + 0}')
    sum=$(awk "BEGIN {print $sum + ${value:-0}}")
  done
  echo "$sum"
}
