#!/usr/bin/env bash
# Builds the Wasm target's core library with Debian's own Rust, for machines on which rustup cannot download
# it, and links Debian's Rust as the rustup toolchain `debian`. Called by scripts/setup.sh, whose functions
# install_debian, at_least, as_root, say and die it uses.
set -euo pipefail

readonly TARGET=wasm32v1-none
readonly RUSTLIB=/usr/lib/rustlib

install_debian rustc-web cargo-web rust-web-src lld
version=$(/usr/bin/rustc --version | cut -d' ' -f2)
at_least "$version" "$MIN_RUST" ||
    die "Debian's rustc-web is $version, $MIN_RUST or newer is needed. Add the suite bookworm-security to apt's sources."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say "building the core library for $TARGET with Debian's Rust"
mkdir "$work/src"
printf '#![no_std]\n' >"$work/src/lib.rs"
printf '[package]\nname = "core-for-wasm"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$work/Cargo.toml"
# embed-bitcode: without it the runtime's link-time optimisation fails.
(
    cd "$work"
    env -u RUSTUP_TOOLCHAIN RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc RUSTFLAGS=-Cembed-bitcode=yes \
        CARGO_TARGET_DIR="$work/target" \
        /usr/bin/cargo build --quiet -Zbuild-std=core,alloc --release --target "$TARGET"
)

# All but the throw-away crate's own library.
rm -f "$work/target/$TARGET/release/deps/"libcore_for_wasm-*.rlib
libraries=("$work/target/$TARGET/release/deps/"lib*.rlib)
# Two builds of one library side by side would be ambiguous.
as_root rm -rf "$RUSTLIB/$TARGET/lib"
as_root mkdir -p "$RUSTLIB/$TARGET/lib"
as_root cp "${libraries[@]}" "$RUSTLIB/$TARGET/lib/"

host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
linker=$RUSTLIB/$host/bin/rust-lld
if [[ ! -e $linker ]]; then
    as_root mkdir -p "$(dirname "$linker")"
    as_root ln -s "$(command -v lld)" "$linker"
fi

rustup toolchain link debian /usr
# Wasm built against older libraries of the target does not link with the new ones.
rm -rf "$CARGO_TARGET_DIR"/*/wbuild
