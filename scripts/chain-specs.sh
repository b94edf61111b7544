#!/usr/bin/env bash
# Writes chain-specs/*.json from the runtime's presets; with --check it only compares.
# The files leave out the runtime's Wasm: see chain-specs/README.md.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$DSTP_ROOT"

case "${1:-}" in
"") check=0 ;;
--check) check=1 ;;
*)
    echo "Usage: scripts/chain-specs.sh [--check]" >&2
    exit 2
    ;;
esac

# The whole workspace, so that dependencies have the same features as in every other build.
cargo build --workspace --locked --quiet

new="$(mktemp -d)"
trap 'rm -rf "$new"' EXIT
for chain in dev local; do
    "$DSTP_BIN/dstp-node" export-chain-spec --chain "$chain" --without-code --output "$new/$chain.json"
done

if [ "$check" = 0 ]; then
    cp "$new"/*.json chain-specs/
    echo "wrote chain-specs/dev.json and chain-specs/local.json"
    exit 0
fi
for chain in dev local; do
    if ! diff -u "chain-specs/$chain.json" "$new/$chain.json"; then
        echo "chain-specs/$chain.json differs from the runtime's preset." >&2
        echo "If the change is meant, run: make chain-specs" >&2
        exit 1
    fi
done
echo "chain-specs/ are up to date"
