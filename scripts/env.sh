#!/usr/bin/env bash
# The environment of every command of this repository. Two uses:
#   . scripts/env.sh                 sets it in the current shell
#   scripts/env.sh COMMAND ARGS...   runs one command in it
#
# Sets DSTP_ROOT (the checkout), CARGO_TARGET_DIR (default: target in the checkout; may be given),
# DSTP_BIN (where cargo puts the node) and PATH (with DSTP_BIN in front, so that zombienet finds the node).

DSTP_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$DSTP_ROOT/target}
# A relative folder means one inside the checkout, wherever the command is called from.
case $CARGO_TARGET_DIR in
    /*) ;;
    *) CARGO_TARGET_DIR=$DSTP_ROOT/$CARGO_TARGET_DIR ;;
esac
DSTP_BIN=$CARGO_TARGET_DIR/debug
PATH=$DSTP_BIN:$PATH
export DSTP_ROOT CARGO_TARGET_DIR DSTP_BIN PATH

# The Wasm of each runtime is built in a folder of its own, which would compile all of FRAME once per runtime, three
# minutes on two cores. Cargo keeps apart what differs, so one folder serves all: that of the hub.
share_wasm_folder() {
    local wbuild=$DSTP_BIN/wbuild runtime
    mkdir -p "$wbuild/dstp-hub-runtime/target"
    for runtime in dstp-minimal-runtime dstp-example-runtime my-chain-runtime; do
        [[ -e $wbuild/$runtime/target ]] && continue
        mkdir -p "$wbuild/$runtime"
        # Two commands at once may both get here.
        ln -s ../dstp-hub-runtime/target "$wbuild/$runtime/target" 2>/dev/null || true
    done
}
share_wasm_folder

# Written by scripts/setup.sh where the Wasm target comes from Debian's Rust instead of rustup.
if [[ -f $DSTP_ROOT/.toolchain.env ]]; then
    # shellcheck source=/dev/null
    . "$DSTP_ROOT/.toolchain.env"
fi

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    set -euo pipefail
    cd "$DSTP_ROOT"
    exec "$@"
fi
