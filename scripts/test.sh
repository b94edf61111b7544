#!/usr/bin/env bash
# Runs the checks in stages, cheap ones first, stops at the first that fails, and prints the time of each.
#   scripts/test.sh         everything (make test)
#   scripts/test.sh fast    what is worth running before each commit (make check)
#   scripts/test.sh long    all tests in their long forms (make test-long). CASES and SEED of the random ones may be
#                           given; the seed is printed, so that a failure can be repeated.
# Each stage's output goes to CARGO_TARGET_DIR/test-logs and, with a terminal or VERBOSE=1, to the screen.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$DSTP_ROOT"

readonly LOGS=$CARGO_TARGET_DIR/test-logs
readonly TAIL_LINES=80 MOVE=primitives/move/Cargo.toml
# Workspaces that only `make bench` and `make weights` build: what can be checked without that is checked.
readonly TOOLS=(benches/peers/nomt/Cargo.toml benches/weights/Cargo.toml)
mkdir -p "$LOGS"

summary=()
failed=
started=$SECONDS

# stage NAME COMMAND...: runs one stage and notes its time.
stage() {
    local name=$1 log from status=0
    shift
    log=$LOGS/${name// /-}.log
    from=$SECONDS
    printf '==> %s\n' "$name"
    if [[ -t 1 || -n ${VERBOSE:-} ]]; then
        "$@" </dev/null 2>&1 | tee "$log" || status=$?
    else
        "$@" </dev/null >"$log" 2>&1 || status=$?
    fi
    if [[ $status -eq 0 ]]; then
        printf '    ok, %s\n' "$(clock $((SECONDS - from)))"
        summary+=("$(printf '%-24s %8s  ok' "$name" "$(clock $((SECONDS - from)))")")
        return 0
    fi
    failed=$name
    summary+=("$(printf '%-24s %8s  FAILED (status %s)' "$name" "$(clock $((SECONDS - from)))" "$status")")
    printf '\n--- end of %s\n' "$log"
    tail -n "$TAIL_LINES" "$log"
    exit 1
}

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

report() {
    local status=$?
    [[ ${#summary[@]} -gt 0 ]] || return 0
    printf '\n%-24s %8s\n' stage 'min:s'
    printf '%s\n' "${summary[@]}"
    printf '%-24s %8s\n' total "$(clock $((SECONDS - started)))"
    "$DSTP_ROOT/scripts/disk.sh" --always || true
    if [[ -n $failed ]]; then
        printf '\nFAILED: %s\n' "$failed"
    elif [[ $status -ne 0 ]]; then
        printf '\nstopped\n'
    else
        printf '\nall passed\n'
    fi
}
trap report EXIT

# --- the stages

# `stage` asks for each function's status, which turns `set -e` off inside: every command says `|| return`.
check_scripts() {
    local file
    for file in scripts/*.sh .ci/run; do bash -n "$file" || return; done
    while read -r file; do node --check "$file" || return; done < <(find scripts -name '*.mjs')
    if command -v shellcheck >/dev/null; then shellcheck -x scripts/*.sh .ci/run || return; fi
    node --test scripts/tests/scripts.test.mjs
}

format() {
    local manifest
    cargo fmt --all --check || return
    for manifest in "$MOVE" "${TOOLS[@]}"; do cargo fmt --check --manifest-path "$manifest" || return; done
}
# Without the runtimes' Wasm, which clippy's build of them would compile a second time.
clippy() { SKIP_WASM_BUILD=1 cargo clippy --workspace --all-targets --locked -- -D warnings; }
docs() { RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked; }
# The same random cases in each run: a failure belongs to the change that it is seen with. `long` looks for new ones.
tests() { PROPTEST_RNG_SEED=1 cargo test --workspace --locked; }
unit_tests() { cargo test --workspace --lib --locked; }
node_build() { cargo build --workspace --locked; }
long_tests() {
    DSTP_LONG=1 DSTP_CRASH_ROUNDS=40 PROPTEST_CASES=${CASES:-20000} PROPTEST_RNG_SEED=$SEED \
        cargo test --workspace --locked --all-targets -- --include-ignored
}
# A workspace of its own, in a folder of its own: it has other features of the crates that it shares with the node.
move_cargo() { CARGO_TARGET_DIR=$CARGO_TARGET_DIR/move cargo "$1" --locked --manifest-path "$MOVE" "${@:2}"; }
# Clippy first and docs after it, for the same reason as in `fast`.
move_tests() {
    move_cargo clippy --all-targets -- -D warnings || return
    RUSTDOCFLAGS="-D warnings" move_cargo doc --no-deps || return
    move_cargo test
}
long_move_tests() { DSTP_LONG=1 move_cargo test; }
# With DSTP_NODE set the end-to-end tests fail instead of being skipped where there is no node.
javascript() { scripts/wasm.sh && (cd node/clients/js && DSTP_NODE=$DSTP_BIN/dstp-node exec node --test); }

# Zombienet's tests and the tour.
networks() { node --test scripts/tests/networks.test.mjs; }
long_networks() { DSTP_LONG=1 networks; }

skipped() { summary+=("$(printf '%-24s %8s  skipped (%s)' "$1" - "$2")"); }

fast() {
    stage format format
    stage scripts check_scripts
    command -v shellcheck >/dev/null || skipped shellcheck "apt-get install shellcheck"
    if command -v cargo-deny >/dev/null; then
        stage deny "$DSTP_ROOT/scripts/deny.sh"
    else
        skipped deny "make deny installs it"
    fi
    # Clippy before the docs: rustdoc uses the dependencies' metadata that clippy made.
    stage clippy clippy
}

everything() {
    fast
    stage docs docs
    stage build node_build
    stage "chain specs" scripts/chain-specs.sh --check
    stage tests tests
    stage move move_tests
    # After the tests: it builds on what they built.
    stage outside scripts/outside.sh
    stage javascript javascript
    stage networks networks
}

case ${1:-all} in
    all) everything ;;
    fast)
        fast
        stage "unit tests" unit_tests
        ;;
    long)
        SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
        echo "seed $SEED (repeat with: SEED=$SEED make test-long)"
        stage "long tests" long_tests
        stage "long move" long_move_tests
        stage build node_build
        stage "long networks" long_networks
        ;;
    *)
        echo "usage: scripts/test.sh [all|fast|long]" >&2
        exit 2
        ;;
esac
