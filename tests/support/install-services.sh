#!/bin/sh
# Sees to it that the servers the tests need can be run here: RabbitMQ, Redis and PostgreSQL. `make test` runs it first,
# `make chaos` with the word chaos, `make test-alerts` with the word alerts: that needs Prometheus' promtool and no server.
#
# A server is not needed where its variable JODO_TEST_AMQP_URL, JODO_TEST_REDIS_URL or JODO_TEST_POSTGRES_URL names
# one. What is missing is installed as root on Debian and Ubuntu; no system service is started, no database cluster is
# made, and none is left to start at the next boot. Where docker works instead, the tests use containers. Else this
# prints what to install and fails.
set -eu
for=${1:-test}

say() { echo "install-services: $*" >&2; }

# The same places as in src/binaries.rs: change both.
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
have() { command -v "$1" >/dev/null 2>&1; }
have_postgres() {
  for folder in /usr/lib/postgresql/*/bin $(echo "$PATH" | tr ':' ' '); do
    if [ -x "$folder/postgres" ] && [ -x "$folder/initdb" ]; then return 0; fi
  done
  return 1
}

missing() {
  # Where docker works, promtool runs in a container.
  if [ "$for" = alerts ]; then
    if ! have promtool; then echo prometheus; fi
    if ! have jq; then echo jq; fi
    return
  fi
  if [ -z "${JODO_TEST_AMQP_URL:-}" ] && ! have rabbitmq-server; then echo rabbitmq-server; fi
  if [ -z "${JODO_TEST_REDIS_URL:-}" ] && ! have redis-server; then echo redis-server; fi
  if [ -z "${JODO_TEST_POSTGRES_URL:-}" ] && ! have_postgres; then echo postgresql; fi
  # Clocks that jump are only for `make chaos`; without it those runs are void.
  if [ "$for" = chaos ] && ! ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1; then echo libfaketime; fi
  # setpriv, with which servers are started so that they die with the tests.
  if ! have setpriv; then echo util-linux; fi
}

# What else than docker is needed to do without the packages.
can_contain() {
  if [ "$for" = alerts ]; then have jq; else have setpriv; fi
}

# Debian starts what it installs unless this file says no (101: "action forbidden by policy").
policy=/usr/sbin/policy-rc.d
# Debian makes a cluster for a PostgreSQL it installs unless this file says no.
clusters=/etc/postgresql-common/createcluster.conf
# shellcheck disable=SC2317 # A trap calls it.
restore() {
  if [ -n "${made_policy:-}" ]; then rm -f "$policy"; fi
  if [ -n "${saved_clusters:-}" ]; then cp -p "$saved_clusters" "$clusters" && rm -f "$saved_clusters"; fi
}

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >&2
}

install() {
  before=$(running)
  trap restore EXIT
  trap 'exit 130' INT TERM HUP
  if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  # An index that cannot be fetched is no reason to stop: the others may have it all.
  apt update || true
  case " $* " in
    *' postgresql '*)
      apt install -y --no-install-recommends postgresql-common || return 1
      saved_clusters=$(mktemp)
      cp -p "$clusters" "$saved_clusters"
      echo 'create_main_cluster = false' >>"$clusters"
      ;;
  esac
  apt install -y --no-install-recommends "$@" || return 1
  if have systemctl; then
    for package; do
      case $package in
        rabbitmq-server) systemctl disable rabbitmq-server.service epmd.socket epmd.service ;;
        redis-server) systemctl disable redis-server.service ;;
        postgresql) systemctl disable postgresql.service ;;
        prometheus) systemctl disable prometheus.service ;;
      esac >/dev/null 2>&1 || true
    done
  fi
  # No package should have started anything. If one did all the same, its owner decides, not we.
  running | while read -r pid name; do
    if ! echo "$before" | grep -qx "$pid $name"; then
      say "warning: $name (process $pid) runs now and did not before the installation"
    fi
  done
}

# The servers on this machine, "pid name" each, bar the tests' own throwaway ones.
running() {
  for process in /proc/[0-9]*; do
    name=$(cat "$process/comm" 2>/dev/null) || continue
    case $name in epmd | beam.smp | redis-server | postgres | prometheus) ;; *) continue ;; esac
    case $(readlink "$process/cwd" 2>/dev/null) in */jodo-test-*) continue ;; esac
    echo "${process#/proc/} $name"
  done
}

packages=$(missing | tr '\n' ' ' | sed 's/ $//')
if [ -z "$packages" ]; then
  exit 0
fi
if [ "$(id -u)" = 0 ] && have apt-get; then
  say "installing with apt-get: $packages"
  # Word splitting is wanted: one argument per package.
  # shellcheck disable=SC2086
  if (install $packages); then
    left=$(missing | tr '\n' ' ')
    if [ -z "$left" ]; then exit 0; fi
    say "still missing: $left"
  fi
fi
if can_contain && have docker && docker info >/dev/null 2>&1; then
  say "not installed: $packages; the tests use containers instead"
  exit 0
fi
say "the tests need what is not installed here: $packages"
say "On Debian or Ubuntu: sudo apt-get install --no-install-recommends $packages"
if [ "$for" = alerts ]; then exit 1; fi
say "Elsewhere: install RabbitMQ, Redis and PostgreSQL servers, or start docker, or name running servers in"
say "JODO_TEST_AMQP_URL, JODO_TEST_REDIS_URL and JODO_TEST_POSTGRES_URL (an admin's URL of database postgres)."
exit 1
