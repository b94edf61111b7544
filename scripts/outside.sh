#!/usr/bin/env bash
# Makes a project outside of this repository by following docs/own-node.md: runs all of its blocks marked `sh`
# in an empty folder, then starts the node that came out and asks it for the global root.
#
# Shares the target folder with this repository and checks that none of Substrate's crates was built again.
# --keep leaves the project's folder; its name does not depend on the run, so that cargo finds what it built last time.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

readonly PAGE=$DSTP_ROOT/docs/own-node.md LIMIT_S=120
FOLDER=${TMPDIR:-/tmp}/dstp-outside-$(id -u)-$(cksum <<<"$DSTP_ROOT" | cut -d' ' -f1)
readonly FOLDER LOG=$FOLDER/node.log BUILD_LOG=$FOLDER/build.log
node_pid=

say() { printf 'outside: %s\n' "$*"; }
fail() {
    printf 'outside: %s\n' "$*" >&2
    exit 1
}

clean() {
    local status=$?
    if [[ -n $node_pid ]]; then
        kill "$node_pid" 2>/dev/null || true
        wait "$node_pid" 2>/dev/null || true
    fi
    if [[ $status -ne 0 && -s $LOG ]]; then tail -n 40 "$LOG" >&2; fi
    [[ ${KEEP:-} == 1 ]] || rm -rf "$FOLDER"
}
trap clean EXIT
if [[ ${1:-} == --keep ]]; then KEEP=1; fi

# The page's commands, in their order. Only its blocks of the kind `sh` are meant to be run.
commands() { awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on' "$PAGE"; }

# Everything that the project needs is on this computer since the repository was built: a version that the
# lock file does not name would show as an error here.
build() {
    rm -rf "$FOLDER"
    mkdir -p "$FOLDER"
    cd "$FOLDER"
    { echo 'set -eux'; commands; } >commands.sh
    say "running the commands of docs/own-node.md in $FOLDER"
    DSTP_SDK=$DSTP_ROOT CARGO_NET_OFFLINE=true CARGO_TERM_COLOR=never bash commands.sh >"$BUILD_LOG" 2>&1 || {
        tail -n 40 "$BUILD_LOG" >&2
        fail "a command of docs/own-node.md failed"
    }
}

check_build() {
    local again
    again=$(awk '/^ *Compiling (sc|sp|frame)-/ { print $2 }' "$BUILD_LOG" | sort -u | tr '\n' ' ')
    [[ -z $again ]] || fail "these crates were built again, so the page gives them other features or another profile: $again"
    local stranger
    stranger=$(comm -13 <(locked "$DSTP_ROOT/Cargo.lock") <(locked "$FOLDER/my-chain/Cargo.lock") | grep -v '^my-' || true)
    [[ -z $stranger ]] || fail "the project's lock file names crates that the repository's does not: $stranger"
    say "built: $(awk '/^ *Compiling / { print $2 }' "$BUILD_LOG" | tr '\n' ' ')"
}

# Names and versions in a lock file.
locked() { awk '/^name = /{ name = $3 } /^version = /{ if (name != "") print name, $3; name = "" }' "$1" | tr -d '"' | sort -u; }

start_and_ask() {
    "$DSTP_BIN/my-node" --dev --tmp --rpc-port=0 --port=0 --no-prometheus --no-telemetry --no-mdns >"$LOG" 2>&1 &
    node_pid=$!
    local address='' answer end=$((SECONDS + LIMIT_S))
    while [[ -z $address ]]; do
        kill -0 "$node_pid" 2>/dev/null || fail "the node ended"
        [[ $SECONDS -lt $end ]] || fail "the node did not start within $LIMIT_S s"
        sleep 0.2
        address=$(sed -n 's/.*Running JSON-RPC server: addr=\([^,]*\).*/\1/p' "$LOG" | head -n 1)
    done
    # Node.js rather than curl: the repository needs it anyway.
    # shellcheck disable=SC2016 # The dollar signs are JavaScript's.
    answer=$(node -e '
        const [address] = process.argv.slice(1);
        const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "dstp_globalRoot", params: [] });
        const headers = { "content-type": "application/json" };
        const { result, error } = await (await fetch(`http://${address}`, { method: "POST", headers, body })).json();
        if (error || !/^0x[0-9a-f]{64}$/.test(result.globalRoot)) throw new Error(JSON.stringify(error ?? result));
        console.log(result.globalRoot);
    ' --input-type=module -- "$address") || fail "dstp_globalRoot was not answered"
    say "my-node answers: global root $answer"
}

build
check_build
start_and_ask
