#!/usr/bin/env bash
# Measures how fast DSTP is, beside peers and floors in the same run.
#   scripts/bench.sh [ARGUMENTS]       builds, measures, prints the table and writes bench.json to the target folder (make bench).
#                                      The arguments go to dstp-bench: --quick, --only PART (may be given several times).
#   scripts/bench.sh --readme [FILE]   puts the rows of bench.json into the table of README.md or FILE
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$DSTP_ROOT"

readonly ROWS=$CARGO_TARGET_DIR/bench.json
readonly PLACES=$CARGO_TARGET_DIR/bench-places.json
readonly PEERS=$CARGO_TARGET_DIR/bench-peers

if [[ ${1:-} == --readme ]]; then
    exec node scripts/bench-table.mjs "$ROWS" "${2:-README.md}"
fi

# The whole workspace, as in `make build`: a part of it would be built with other features of the same crates.
cargo build --workspace --locked
CARGO_TARGET_DIR=$PEERS cargo build --locked --manifest-path benches/peers/nomt/Cargo.toml

options=(--nomt "$PEERS/debug/dstp-bench-nomt" --out "$ROWS")
if node scripts/bench-places.mjs "$PLACES"; then
    options+=(--places "$PLACES")
else
    echo "the npm package with the tour's places is not installed (make setup): synthetic places of the same shape instead"
fi

echo "measuring on $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg); another load makes the figures worthless"
exec "$DSTP_BIN/dstp-bench" "${options[@]}" "$@"
