# Commands of this repository. `make` alone lists them. All of them honour CARGO_TARGET_DIR.

SHELL := bash
.DEFAULT_GOAL := help
.SUFFIXES:

# Runs a command with the repository's environment (target folder, toolchain, path to the node).
ENV := scripts/env.sh

.PHONY: help setup build run check test test-long bench weights doc chain-specs deny deny-advisories

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing: Debian packages, Rust components, the Wasm target, npm packages
	@scripts/setup.sh

build: setup ## Build the node: dstp-node in the target folder
	@$(ENV) cargo build --workspace --locked
	@$(ENV) bash -c 'echo "built $$DSTP_BIN/dstp-node"'

run: setup ## Build, start a local network and play the tour (ONCE=1 stops after the tour, SHORT=1 loads a few states only)
	@$(ENV) node scripts/run.mjs

check: setup ## The fast checks, for before a commit: format, scripts, clippy, unit tests
	@scripts/test.sh fast

test: setup ## All checks and tests, with the time of each stage (VERBOSE=1 shows their output)
	@scripts/test.sh

test-long: setup ## The long forms: new random cases, many more, and the network tests left out of test (CASES=20000, SEED=... to repeat)
	@scripts/test.sh long

bench: setup ## Measure how fast it is, beside peers and floors in the same run (ARGS=--quick for a try)
	@scripts/bench.sh $(ARGS)

weights: setup ## Measure the weights of the pallets on this machine (ARGS=--quick for a try)
	@scripts/weights.sh $(ARGS)

doc: setup ## Build the API documentation of all crates
	@$(ENV) cargo doc --workspace --no-deps --locked
	@$(ENV) bash -c 'echo "open $$CARGO_TARGET_DIR/doc/dstp_primitives/index.html"'

chain-specs: setup ## Generate chain-specs/ from the runtime's presets
	@scripts/chain-specs.sh

deny: setup ## Check licences, banned crates and sources of all dependencies (installs cargo-deny)
	@scripts/deny.sh

deny-advisories: setup ## Check the dependencies against known vulnerabilities (needs the internet)
	@scripts/deny.sh advisories
