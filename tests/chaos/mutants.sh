#!/usr/bin/env bash
# Puts one fault of our own after the other into a copy of the last commit, and sees that chaos finds it.
set -euo pipefail

root=$(git rev-parse --show-toplevel)
copy=$(mktemp -d)
trap 'git -C "$root" worktree remove --force "$copy"' EXIT
git -C "$root" worktree add --quiet --detach "$copy" HEAD
export CARGO_TARGET_DIR=$root/target/mutants JODO_CHAOS_RUNS=1 JODO_CHAOS_SEED=${SEED:-1} JODO_CHAOS_PATIENCE=30
cd "$copy"

chaos() {
	cargo test --quiet --locked -p jodo-sync --test chaos -- --nocapture >"$CARGO_TARGET_DIR/chaos.log" 2>&1
}

survived=0
for patch in "$root"/tests/chaos/mutants/*.patch; do
	name=$(basename "$patch" .patch)
	JODO_CHAOS_FAULT=$(sed -n 's/^Fault: //p' "$patch")
	export JODO_CHAOS_FAULT
	git apply "$patch"
	cargo build --quiet --workspace --locked
	cargo test --quiet --locked -p jodo-sync --test chaos --no-run
	if chaos; then
		echo "$name: NOT found by \"$JODO_CHAOS_FAULT\""
		survived=1
	elif grep -q "lost deliveries, unsettled events or differing rows" "$CARGO_TARGET_DIR/chaos.log"; then
		echo "$name: found by \"$JODO_CHAOS_FAULT\""
		grep -E "^0: " "$CARGO_TARGET_DIR/chaos.log"
	else
		tail -n 20 "$CARGO_TARGET_DIR/chaos.log"
		exit 1
	fi
	git checkout --quiet .
done
exit "$survived"
