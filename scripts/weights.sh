#!/usr/bin/env bash
# Measures the weights of the pallets on this machine and writes pallets/*/src/weights.rs.
#   scripts/weights.sh               all pallets of this repository
#   scripts/weights.sh --quick       few samples: shows that everything works, for figures that mean nothing
#
# The runtime with its benchmarks and the tool that runs them are built in folders of their own below the target folder, so the
# ordinary build stays as it is. The first run takes long: the tool has a thousand crates.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$DSTP_ROOT"

# The version that belongs to the polkadot-sdk release of Cargo.toml: it depends on its frame-benchmarking-cli.
readonly BENCHER=frame-omni-bencher BENCHER_VERSION=0.28.0
readonly TOOLS=$CARGO_TARGET_DIR/tools
readonly BUILD=$CARGO_TARGET_DIR/weights
readonly WASM=$BUILD/debug/wbuild/dstp-hub-runtime/dstp_hub_runtime.compact.compressed.wasm
readonly PALLETS=(object-tree subtree-security)

die() {
    printf 'weights: %s\n' "$@" >&2
    exit 1
}

# A part of the tool's database (RocksDB) needs libclang while it is built. Debian's library package has no name without a version.
find_libclang() {
    [[ -n ${LIBCLANG_PATH:-} ]] && return 0
    local library
    library=$(find /usr/lib \( -name 'libclang.so*' -o -name 'libclang-[0-9]*.so*' \) | sort | head -n 1)
    [[ -n $library ]] || die "libclang is missing. As root, run: apt-get install -y libclang1"
    mkdir -p "$TOOLS/lib"
    ln -sf "$library" "$TOOLS/lib/libclang.so"
    export LIBCLANG_PATH=$TOOLS/lib
}

install_bencher() {
    # Where cargo notes what it installed.
    grep -qs "\"$BENCHER $BENCHER_VERSION " "$TOOLS/.crates.toml" && return 0
    find_libclang
    echo "installing $BENCHER $BENCHER_VERSION into $TOOLS"
    CARGO_TARGET_DIR=$TOOLS/build CARGO_PROFILE_RELEASE_DEBUG=0 \
        cargo install "$BENCHER" --version "$BENCHER_VERSION" --locked --root "$TOOLS"
    rm -rf "$TOOLS/build"
}

# Only the Wasm is measured, so the native part may be slow.
build_runtime() {
    echo "building the runtime with its benchmarks in $BUILD"
    CARGO_TARGET_DIR=$BUILD CARGO_PROFILE_DEV_OPT_LEVEL=0 CARGO_PROFILE_DEV_DEBUG=false \
        cargo build --locked -p dstp-hub-runtime --features runtime-benchmarks
}

# measure PALLET: runs its benchmarks and replaces its weights.rs once all of them are done.
measure() {
    local crate=pallet-$1 output=pallets/$1/src/weights.rs
    local new=$BUILD/$1-weights.rs
    "$TOOLS/bin/$BENCHER" v1 benchmark pallet \
        --runtime "$WASM" --genesis-builder-preset development \
        --pallet "${crate//-/_}" --extrinsic '*' --steps "$STEPS" --repeat "$REPEAT" \
        --template scripts/weights.hbs --output "$new"
    # The path of the file would be this machine's.
    cp "$new" "$output"
    echo "written: $output"
}

case ${1:-} in
    '') STEPS=20 REPEAT=20 ;;
    --quick) STEPS=2 REPEAT=1 ;;
    *) die "usage: scripts/weights.sh [--quick]" ;;
esac
install_bencher
build_runtime
for pallet in "${PALLETS[@]}"; do measure "$pallet"; done
echo "now run: cargo test -p dstp-hub-runtime   (it checks that everything fits into blocks), and commit the files"
