# The database restored from a back-up; the archive brings back what it lacks
# shellcheck shell=bash disable=SC2154

load 70 1000 200
answered 70
verified
began=$(date -u +%FT%TZ)
inside postgres pg_dump -U postgres -Fc trial >"$work/trial.dump"
load 71 1500 200
answered 71
verified
docker compose stop worker >>"$work/up.log" 2>&1
inside postgres dropdb -U postgres --force trial
inside postgres createdb -U postgres -O jodo trial
inside postgres pg_restore -U postgres -d trial --exit-on-error <"$work/trial.dump"
up
since_then() { sql trial "SELECT count(*) FROM jodo_events WHERE event_id LIKE 'sim\_71\_%'"; }
[ "$(since_then)" = 0 ] || fail "nothing was missing after the restore"
jodo recover --target trial --since "$began" >"$work/recover.log" || { cat "$work/recover.log"; fail "recover"; }
sed 's/^/   /' "$work/recover.log"
back() { [ "$(since_then)" = 1500 ]; }
within 60 back
verified
