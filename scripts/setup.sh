#!/usr/bin/env bash
# Installs what a build and a local network need, on Debian 12 with rustup and Node.js. Does nothing where
# nothing is missing. Where it may not install (no root, no sudo) it says what to install and stops.
#
# DSTP_WASM=debian skips rustup's Wasm target and takes the one of Debian's Rust.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$DSTP_ROOT"

# As in the `engines` of the npm packages, some of whose own packages ask for it.
readonly MIN_NODE=20.19 MIN_RUST=1.95 WASM_TARGET=wasm32v1-none
# Why each: protoc for the network protocols; a C and C++ compiler, make and perl for the C parts of
# dependencies (zstd, OpenSSL of litep2p, wasm-opt); ps for zombienet.
readonly DEBIAN_PACKAGES=(protobuf-compiler build-essential perl pkg-config procps ca-certificates)

say() { printf 'setup: %s\n' "$*"; }
die() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

# Runs a command as root, directly or through sudo without a password prompt where there is no terminal.
as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        "$@"
    elif [[ -t 0 ]]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

may_install() {
    [[ $(id -u) -eq 0 ]] && return 0
    command -v sudo >/dev/null || return 1
    # With a terminal sudo may ask for a password; without one it must work unasked.
    [[ -t 0 ]] || sudo -n true 2>/dev/null
}

installed() { [[ $(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]; }

# install_debian PACKAGE...: installs those of the packages that are missing.
install_debian() {
    command -v dpkg-query >/dev/null ||
        die "this is not a Debian system. Install what these Debian packages hold, then set DSTP_SKIP_PACKAGES=1: $*"
    local package missing=()
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    [[ ${#missing[@]} -eq 0 ]] && return 0
    may_install || die "these Debian packages are missing, and this user may not install them. As root, run:" \
        "  apt-get install -y ${missing[*]}"
    say "installing Debian packages: ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# at_least HAVE WANT: compares dotted version numbers.
at_least() { [[ $(printf '%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

check_node() {
    command -v node >/dev/null ||
        die "Node.js is missing. Install Node.js $MIN_NODE or newer (with npm) and run this again."
    local version
    version=$(node --version)
    at_least "${version#v}" "$MIN_NODE" ||
        die "Node.js ${version#v} is too old. Install Node.js $MIN_NODE or newer and run this again."
    command -v npm >/dev/null || die "npm is missing. Install the npm that belongs to Node.js ${version#v} and run this again."
}

check_rust() {
    command -v rustup >/dev/null ||
        die "rustup is missing. Install rustup with the stable toolchain (https://rustup.rs) and run this again."
    command -v cargo >/dev/null ||
        die "cargo is missing although rustup is there. Put rustup's bin folder (usually ~/.cargo/bin) into PATH."
    local version
    version=$(rustc --version | cut -d' ' -f2) ||
        die "rustup has no default toolchain. Run: rustup default stable"
    at_least "$version" "$MIN_RUST" ||
        die "Rust $version is too old, $MIN_RUST or newer is needed. Run: rustup update stable"
}

check_components() {
    local component missing=()
    # cargo-fmt and cargo-clippy always exist as rustup proxies; the answer is in the toolchain's folder.
    for component in clippy rustfmt; do
        [[ -x $SYSROOT/bin/cargo-${component/rustfmt/fmt} ]] || missing+=("$component")
    done
    [[ ${#missing[@]} -eq 0 ]] && return 0
    say "adding Rust components: ${missing[*]}"
    rustup component add "${missing[@]}" ||
        die "rustup could not add ${missing[*]}. Run: rustup component add ${missing[*]}"
}

has_wasm_target() { compgen -G "$1/lib/rustlib/$WASM_TARGET/lib/libcore-*.rlib" >/dev/null; }

check_wasm_target() {
    if [[ ${DSTP_WASM:-} != debian ]]; then
        if has_wasm_target "$SYSROOT"; then
            rm -f .toolchain.env
            return 0
        fi
        if [[ -n ${WASM_BUILD_TOOLCHAIN:-} ]] && has_wasm_target "$(rustc "+$WASM_BUILD_TOOLCHAIN" --print sysroot)"; then
            return 0
        fi
        say "adding the Rust target $WASM_TARGET"
        rustup target add "$WASM_TARGET" && return 0
        say "rustup could not add it; taking it from Debian's Rust instead"
    fi
    "$DSTP_ROOT/scripts/wasm-from-debian.sh" || die "no Wasm target. Run: rustup target add $WASM_TARGET"
    echo 'export WASM_BUILD_TOOLCHAIN=debian' >.toolchain.env
    say "Wasm is built by Debian's Rust. Before a plain cargo command, run: . scripts/env.sh"
}

# check_npm FOLDER: installs exactly what the folder's lock file names, when that changed since the last time.
check_npm() {
    [[ -f $1/package-lock.json ]] || return 0
    local stamp=$1/node_modules/.dstp-installed
    cmp -s "$1/package-lock.json" "$stamp" && return 0
    say "installing npm packages in $1"
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) ||
        die "npm could not install the packages of $1. See the messages above, then run: make setup"
    cp "$1/package-lock.json" "$stamp"
}

main() {
    [[ -n ${DSTP_SKIP_PACKAGES:-} ]] || install_debian "${DEBIAN_PACKAGES[@]}"
    check_node
    check_rust
    SYSROOT=$(rustc --print sysroot)
    readonly SYSROOT
    check_components
    export -f install_debian installed may_install at_least as_root say die
    export MIN_RUST
    check_wasm_target
    check_npm zombienet
    check_npm node/clients/js
    scripts/disk.sh
}

main
