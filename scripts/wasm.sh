#!/usr/bin/env bash
# Builds the Wasm module of the JavaScript client and puts it where the client looks for it
# (node/clients/js/dist/dstp.wasm, which is not committed). Prints its size.
#
# WASM_BUILD_TOOLCHAIN names the rustup toolchain that has the Wasm target, where the default one has not.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$DSTP_ROOT"

readonly TARGET=wasm32v1-none PROFILE=client
readonly BUILT=$CARGO_TARGET_DIR/$TARGET/$PROFILE/dstp_wasm.wasm DIST=node/clients/js/dist

if [[ -n ${WASM_BUILD_TOOLCHAIN:-} ]]; then
    export RUSTUP_TOOLCHAIN=$WASM_BUILD_TOOLCHAIN
fi
cargo build --locked --package dstp-wasm --target "$TARGET" --profile "$PROFILE"

mkdir -p "$DIST"
# Replaced in one step: a test that is running keeps reading the old file. By a name of its own: several may run at once.
cp "$BUILT" "$DIST/dstp.wasm.$$"
mv "$DIST/dstp.wasm.$$" "$DIST/dstp.wasm"
printf 'built %s/dstp.wasm, %s bytes (%s compressed)\n' "$DIST" \
    "$(wc -c <"$DIST/dstp.wasm")" "$(gzip -9 -c "$DIST/dstp.wasm" | wc -c)"
