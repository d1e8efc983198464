# An upgrade with `up --build`, under load
# shellcheck shell=bash disable=SC2154

before=$(docker inspect -f '{{.Image}}' "$(container ingress)" "$(container worker)")
export REVISION=next
# Ahead, for how long that takes says nothing; `up --build` finds it done.
docker compose build >>"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; fail "docker compose build"; }
load 60 6000 100
up --build
after=$(docker inspect -f '{{.Image}}' "$(container ingress)" "$(container worker)")
[ "$(printf '%s\n%s\n' "$before" "$after" | sort -u | wc -l)" = 4 ] || fail "not made of the new images"
under_way 60 || fail "the load was over before"
say "ingress and worker are made of new images"
answered 60
verified
