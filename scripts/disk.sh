#!/usr/bin/env bash
# Says how much disk is free for the target folder, and warns where that is too little for a first build: a compiler on
# a full disk crashes without a word about the disk. Says nothing once something is built, except with --always.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# What `make test` fills in an empty target folder, with a margin, and what incremental compilation adds, which is cargo's
# default and off in CI.
readonly FIRST_BUILD_GB=14 INCREMENTAL_GB=12

need=$FIRST_BUILD_GB
if [[ ${CARGO_INCREMENTAL:-1} != 0 ]]; then need=$((need + INCREMENTAL_GB)); fi
if [[ -d $DSTP_BIN/deps && ${1:-} != --always ]]; then exit 0; fi
free=$(df -BG --output=avail "$CARGO_TARGET_DIR" | tail -n 1 | tr -dc '[:digit:]')
if [[ ! -d $DSTP_BIN/deps && $free -lt $need ]]; then
    echo "disk: warning: only $free GB are free for $CARGO_TARGET_DIR; a first make test needs $need GB (CARGO_TARGET_DIR moves the folder)"
else
    echo "disk: $free GB are free for $CARGO_TARGET_DIR"
fi
