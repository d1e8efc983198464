# An upgrade with `up --build`, under load
# shellcheck shell=bash disable=SC2154

before=$(docker inspect -f '{{.Image}}' "$(container ingress)" "$(container worker)")
load 60 4000 100
export REVISION=next
up --build
after=$(docker inspect -f '{{.Image}}' "$(container ingress)" "$(container worker)")
[ "$(printf '%s\n%s\n' "$before" "$after" | sort -u | wc -l)" = 4 ] || fail "not made of the new images"
under_way 60 || fail "the load was over before"
say "ingress and worker are made of new images"
answered 60
verified
