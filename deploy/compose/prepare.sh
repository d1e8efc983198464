#!/bin/sh
# Makes what docker-compose.yml needs and the repository must not hold: secrets, a certificate for the first try, and the
# settings. Whatever is there already stays as it is, so this may run before every start. `make up` does.
#
# Variables, read where the files are made: SITE_NAME, the name that Jodo will deliver to (localhost); DATABASE_URL, an ERP
# database elsewhere instead of the service `postgres`; EDGE_SUBNET, if 172.16.243.0/24 is taken on this machine.
set -eu
cd "$(dirname "$0")/../.."

say() { echo "prepare: $*" >&2; }
missing() { [ ! -s "$1" ]; }
# 160 bits, in letters that mean the same in a URL and in a configuration file.
random() { od -An -N20 -tx1 /dev/urandom | tr -d ' \n'; }
# The folder keeps others out. The files can be read by the containers, which run as users of their own.
put() { umask 022 && printf '%s\n' "$2" >"secrets/$1.new" && mv "secrets/$1.new" "secrets/$1"; }

[ -d secrets ] || { mkdir -m 700 secrets && say "made secrets/: back it up, and keep it to yourself"; }

subnet=${EDGE_SUBNET:-172.16.243.0/24}
if missing .env; then
  profiles=postgres
  [ -z "${DATABASE_URL:-}" ] || profiles=
  printf 'COMPOSE_PROFILES=%s\nEDGE_SUBNET=%s\n' "$profiles" "$subnet" >.env
  say "made .env"
fi

for secret in jodo_signing_secret test_signing_secret postgres_password erp_password grafana_password; do
  missing "secrets/$secret" || continue
  put "$secret" "$(random)"
done
if missing secrets/rabbitmq_user.conf || missing secrets/amqp_url; then
  password=$(random)
  put rabbitmq_user.conf "default_user = jodo
default_pass = $password"
  put amqp_url "amqp://jodo:$password@rabbitmq:5672/%2f"
fi
if missing secrets/redis_password.conf || missing secrets/redis_url; then
  password=$(random)
  put redis_password.conf "requirepass $password"
  put redis_url "redis://:$password@redis:6379/0"
fi
missing secrets/erp_url && put erp_url "${DATABASE_URL:-postgres://jodo:$(cat secrets/erp_password)@postgres:5432/erp}"
missing secrets/trial_url && put trial_url "postgres://jodo:$(cat secrets/erp_password)@postgres:5432/trial"

if missing jodo-sync.toml; then
  template=deploy/compose/jodo-sync.toml
  # Where the database is elsewhere there is none for trials.
  [ -z "${DATABASE_URL:-}" ] || trials='/^# Trials/,$d'
  sed -e "s|@EDGE_SUBNET@|$subnet|" -e "${trials:-}" "$template" >jodo-sync.toml
  say "made jodo-sync.toml: sources and targets"
fi

if missing secrets/tls/site.pem; then
  name=${SITE_NAME:-localhost}
  command -v openssl >/dev/null || { say "openssl is missing: sudo apt-get install openssl"; exit 1; }
  mkdir -p -m 755 secrets/tls
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj "/CN=$name" \
    -addext "subjectAltName=DNS:$name,DNS:proxy" -addext basicConstraints=critical,CA:FALSE -keyout secrets/tls/key.new -out secrets/tls/site.crt 2>/dev/null
  cat secrets/tls/site.crt secrets/tls/key.new >secrets/tls/site.pem
  rm secrets/tls/key.new
  chmod 644 secrets/tls/site.pem
  say "made a certificate for $name that nobody trusts but you, in secrets/tls/site.crt; Jodo needs a real one"
fi
