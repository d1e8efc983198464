#!/bin/bash
# `make test-compose`: builds the images, starts the deployment from scratch beside whatever else runs here, and puts it
# through what an institute's operators do to theirs, under load. Every delivery must be answered 200 and end in the
# rows that `simulate verify` computes. It leaves nothing behind but Docker's build cache.
#
#   tests/compose/run.sh               all steps, in order
#   tests/compose/run.sh 10 30         the steps 10 and 30, after a fresh start
#
# Needs Docker with Compose v2, curl, openssl, git, jq and cargo. KEEP=1 leaves the stack of a failed run standing, and its folder.
# IMAGES=tag takes images that are there instead of building them, which step 60 cannot do without.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/compose
# shellcheck source=tests/compose/lib.sh
. "$here/lib.sh"

needs docker curl openssl git jq cargo
docker compose version >/dev/null 2>&1 || fail "Docker Compose v2 is missing (package docker-compose-plugin)"
docker info >/dev/null 2>&1 || fail "no Docker Engine answers; start it, or run this as a user who may use it"

begin
trap 'finish $?' EXIT
trap 'exit 130' INT TERM
steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=($(cd "$here/steps" && ls | sed 's/-.*//'))
for step in "${steps[@]}"; do
  script=$(ls "$here/steps/$step"-*.sh)
  title "$(sed -n '1s/^# //p' "$script")"
  # shellcheck disable=SC1090 # One after the other; each is checked by itself.
  . "$script"
done
