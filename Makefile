# Everything a developer needs: `make help`.
.DEFAULT_GOAL := help
.PHONY: help run up try check test test-alerts test-compose bench chaos mutants outages services docs

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

run: ## run jodo-sync (release build); pass arguments with ARGS="status"
	cargo run --release -- $(ARGS)

up: ## the high-volume deployment with docker compose; makes its secrets and settings on first use
	deploy/compose/prepare.sh
	docker compose up --detach --build --wait

TRY_URL ?= https://proxy:8443/webhooks/test
try: ## one sample delivery into what `make up` started, through TLS, followed to its row
	docker compose run --rm --env SSL_CERT_FILE=/etc/jodo-sync/tls/site.crt jodo-sync \
		send direct.payment.added --source test --url $(TRY_URL) --follow

check: ## formatting, clippy and documentation, all warnings denied
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features --locked

docs: ## write docs/EVENTS.md anew from the declarative table and the samples
	JODO_WRITE_DOCS=1 cargo test --quiet --locked -p jodo-worker --test docs

services: ## find or install RabbitMQ, Redis and PostgreSQL for the tests; starts nothing
	tests/support/install-services.sh

test-alerts: ## alerts, Prometheus' configuration and the dashboard's queries, with promtool
	tests/support/install-services.sh alerts
	tests/support/test-alerts.sh

test: services test-alerts ## all tests, on real RabbitMQ, Redis and PostgreSQL started for the run
	cargo build --workspace --locked
	cargo run --quiet --locked -p jodo-test-support --bin with-services -- cargo test --workspace --locked

RUNS ?= 48
SEED ?= 1
chaos: ## faults on everything: RUNS=n runs from SEED=s, with their table in docs/RELIABILITY.md
	tests/support/install-services.sh chaos
	cargo build --workspace --locked
	JODO_CHAOS_RUNS=$(RUNS) JODO_CHAOS_SEED=$(SEED) JODO_CHAOS_WRITE=$(CURDIR)/docs/RELIABILITY.md \
		cargo test --quiet --locked -p jodo-sync --test chaos -- --nocapture

test-compose: ## the deployment from scratch in docker, under load, killed, upgraded, restored; takes twenty minutes
	tests/compose/run.sh

BENCH ?= quick
bench: ## how fast it is beside what this machine could do, into docs/BENCHMARKS.md: BENCH=quick or full
	tests/support/install-services.sh
	cargo build --release --workspace --locked
	cargo run --release --quiet --locked -p jodo-bench -- --mode $(BENCH) --write docs/BENCHMARKS.md

mutants: ## faults of our own in the code, one after the other: chaos must find each
	tests/support/install-services.sh chaos
	tests/chaos/mutants.sh

outages: ## RabbitMQ away for two minutes, then PostgreSQL for five, with figures; takes ten minutes beside the build
	tests/support/install-services.sh
	cargo build --release --workspace --locked
	cargo test --release --locked -p jodo-sync --test chaos -- --nocapture --ignored --test-threads 1
