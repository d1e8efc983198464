#!/usr/bin/env bash
# Puts one fault of our own after the other into a copy of the last commit, and sees that chaos finds it. With a name as
# its argument, only that one.
set -euo pipefail

root=$(git rev-parse --show-toplevel)
copy=$(mktemp -d)
log=$(mktemp)
trap 'git -C "$root" worktree remove --force "$copy"; rm -f "$log"' EXIT
git -C "$root" worktree add --quiet --detach "$copy" HEAD
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/mutants}
export JODO_CHAOS_RUNS=1 JODO_CHAOS_SEED=${SEED:-1} JODO_CHAOS_PATIENCE=30
cd "$copy"

build() {
	cargo build --workspace --locked >"$log" 2>&1 &&
		cargo test --locked -p jodo-sync --test chaos --no-run >"$log" 2>&1
}

chaos() {
	cargo test --quiet --locked -p jodo-sync --test chaos -- --nocapture >"$log" 2>&1
}

survived=0
for patch in "$root"/tests/chaos/mutants/${1:-*}.patch; do
	name=$(basename "$patch" .patch)
	JODO_CHAOS_FAULT=$(sed -n 's/^Fault: //p' "$patch")
	export JODO_CHAOS_FAULT
	git apply "$patch"
	if ! build; then
		cat "$log"
		exit 1
	fi
	if chaos; then
		echo "$name: NOT found by \"$JODO_CHAOS_FAULT\""
		survived=1
	elif grep -q "lost deliveries, unsettled events or differing rows" "$log"; then
		echo "$name: found by \"$JODO_CHAOS_FAULT\""
		grep -Eo "0: (Cluster|OneProgram).*" "$log"
	else
		tail -n 20 "$log"
		exit 1
	fi
	git checkout --quiet .
done
exit "$survived"
