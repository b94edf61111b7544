#!/usr/bin/env bash
# Measures how fast DSTP is, beside peers and floors in the same run.
#   scripts/bench.sh [ARGUMENTS]       builds, measures, prints the table and writes bench.json to the target folder (make bench).
#                                      The arguments go to dstp-bench: --quick, --only PART (may be given several times).
#                                      With any, the rows go to bench-part.json: they are not what --readme publishes.
#   scripts/bench.sh --readme [FILE]   puts the rows of bench.json into the table of README.md or FILE
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$DSTP_ROOT"

readonly ROWS=$CARGO_TARGET_DIR/bench.json
# Commit and machine of these rows, in a line.
readonly ORIGIN=$CARGO_TARGET_DIR/bench-origin.txt
readonly PART=$CARGO_TARGET_DIR/bench-part.json
readonly PLACES=$CARGO_TARGET_DIR/bench-places.json
readonly PEERS=$CARGO_TARGET_DIR/bench-peers

# Commit, processors and their model.
origin() {
    local commit model changes=
    commit=$(git rev-parse --short HEAD 2>/dev/null) || commit='(unknown)'
    git diff --quiet HEAD 2>/dev/null || changes=' with changes'
    model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
    printf 'commit %s%s on %s (%s)\n' "$commit" "$changes" "$(count_of "$(nproc)" processor)" "${model:-$(uname -m)}"
}
count_of() { if [[ $1 -eq 1 ]]; then echo "1 $2"; else echo "$1 $2s"; fi; }

if [[ ${1:-} == --readme ]]; then
    exec node scripts/bench-table.mjs "$ROWS" "$ORIGIN" "${2:-README.md}"
fi

# The whole workspace, as in `make build`: a part of it would be built with other features of the same crates.
cargo build --workspace --locked
CARGO_TARGET_DIR=$PEERS cargo build --locked --manifest-path benches/peers/nomt/Cargo.toml

rows=$ROWS
if [[ $# -gt 0 ]]; then rows=$PART; fi
options=(--nomt "$PEERS/debug/dstp-bench-nomt" --out "$rows")
if node scripts/bench-places.mjs "$PLACES"; then
    options+=(--places "$PLACES")
else
    echo "the npm package with the tour's places is not installed (make setup): synthetic places of the same shape instead"
fi

echo "measuring on $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg); another load makes the figures worthless"
measured=$(origin)
"$DSTP_BIN/dstp-bench" "${options[@]}" "$@"
if [[ $rows == "$ROWS" ]]; then echo "$measured" >"$ORIGIN"; fi
