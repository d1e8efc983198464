# One sample as a newcomer sends it, followed to its row; no secret in logs or in what `docker inspect` shows
# shellcheck shell=bash disable=SC2154

make -s try >"$work/try.log" 2>&1 || { tail -20 "$work/try.log"; fail "make try"; }
grep -q 'outcome  *applied' "$work/try.log" || { cat "$work/try.log"; fail "the sample was not applied"; }
sed -n 's/^  outcome/   outcome/p' "$work/try.log"
docker compose --profile '*' ps -aq | xargs docker inspect >"$work/inspect.json"
docker compose logs --no-color >"$work/all.log" 2>&1
for file in secrets/*_secret secrets/*_password secrets/*_url; do
  # Of a URL the password is the secret.
  secret=$(sed -e 's|.*://[^:]*:\([^@]*\)@.*|\1|' "$file")
  for text in inspect.json all.log commands.log; do
    if grep -qF "$secret" "$work/$text"; then fail "$file is in $text"; fi
  done
done
say "$(wc -l <"$work/all.log") lines of log, none with a secret"
