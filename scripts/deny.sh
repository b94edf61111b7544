#!/usr/bin/env bash
# Checks licences, banned crates and sources of all dependencies (deny.toml) with cargo-deny.
#   scripts/deny.sh               bans licenses sources
#   scripts/deny.sh advisories    known vulnerabilities; needs the advisory database from the internet
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$DSTP_ROOT"

checks=("$@")
[[ ${#checks[@]} -gt 0 ]] || checks=(bans licenses sources)
command -v cargo-deny >/dev/null || {
    echo "deny: installing cargo-deny (a minute or two, once)"
    # Its own target folder: the project's is for the project's crates.
    # A debug build is ready sooner, and the check takes seconds anyway.
    CARGO_TARGET_DIR=$CARGO_TARGET_DIR/cargo-deny cargo install cargo-deny --locked --version 0.20.2 --debug
}
exec cargo deny --locked check --hide-inclusion-graph "${checks[@]}"
