#!/usr/bin/env bash
# Measures the weights of the pallets on this machine and writes pallets/*/src/weights.rs.
#   scripts/weights.sh               all pallets of this repository
#   scripts/weights.sh --quick       few samples: shows that everything works, for figures that mean nothing
#
# The runtime with its benchmarks and the tool that runs them are built in folders of their own below the target folder, so the
# ordinary build stays as it is. The first run takes much longer, for their crates.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$DSTP_ROOT"

readonly TOOL=$CARGO_TARGET_DIR/weights-tool
readonly BUILD=$CARGO_TARGET_DIR/weights
readonly WASM=$BUILD/debug/wbuild/dstp-hub-runtime/dstp_hub_runtime.compact.compressed.wasm

die() {
    printf 'weights: %s\n' "$@" >&2
    exit 1
}

build_tool() {
    echo "building the tool in $TOOL"
    # Without the Wasm of a test runtime that one of its crates brings along.
    CARGO_TARGET_DIR=$TOOL SKIP_WASM_BUILD=1 \
        cargo build --locked --release --manifest-path benches/weights/Cargo.toml
}

# Only the Wasm is measured, so the native part may be slow.
build_runtime() {
    echo "building the runtime with its benchmarks in $BUILD"
    CARGO_TARGET_DIR=$BUILD CARGO_PROFILE_DEV_OPT_LEVEL=0 CARGO_PROFILE_DEV_DEBUG=false \
        cargo build --locked -p dstp-hub-runtime --features runtime-benchmarks
}

# measure PALLET: runs the benchmarks of a pallet and replaces the file of its weights once all of them are done.
measure() {
    local new=$BUILD/weights.rs output=pallets/$1/src/weights.rs crate=pallet-$1
    echo "measuring $1, some minutes"
    "$TOOL/release/dstp-weights" --runtime "$WASM" --genesis-builder-preset development \
        --pallet "${crate//-/_}" --extrinsic '*' --steps "$STEPS" --repeat "$REPEAT" \
        --template scripts/weights.hbs --output "$new" >"$BUILD/measure.log" 2>&1 ||
        die "the benchmarks of $1 failed" "$(tail -n 20 "$BUILD/measure.log")"
    cp "$new" "$output"
    echo "written: $output"
}

case ${1:-} in
    '') STEPS=10 REPEAT=5 ;;
    --quick) STEPS=2 REPEAT=1 ;;
    *) die "usage: scripts/weights.sh [--quick]" ;;
esac
build_tool
build_runtime
for pallet in object-tree subtree-security; do measure "$pallet"; done
echo "now run: cargo test -p dstp-hub-runtime   (it checks that everything fits into blocks), and commit the files"
