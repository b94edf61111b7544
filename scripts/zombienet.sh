#!/usr/bin/env bash
# Starts a network of zombienet/ with zombienet's native provider, and leaves no process behind.
#   scripts/zombienet.sh test NAME    runs zombienet/NAME.zndsl
#   scripts/zombienet.sh spawn NAME   starts zombienet/NAME.toml and keeps it up until Ctrl-C
# The node's binary is taken from CARGO_TARGET_DIR/debug. Logs of a failed run stay; their folder is printed.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$DSTP_ROOT"

usage() {
    echo "usage: scripts/zombienet.sh test|spawn NAME" >&2
    echo "tests: $(find zombienet -maxdepth 1 -name '*.zndsl' -printf '%f ' | sed 's/\.zndsl//g')" >&2
    exit 2
}

[[ $# -eq 2 ]] || usage
verb=$1
case $verb in
    test) file=zombienet/$2.zndsl ;;
    spawn) file=zombienet/$2.toml ;;
    *) usage ;;
esac
[[ -f $file ]] || usage
[[ -x $DSTP_BIN/dstp-node ]] || {
    echo "zombienet: there is no node at $DSTP_BIN/dstp-node. Run: make build" >&2
    exit 1
}
zombienet=zombienet/node_modules/.bin/zombienet
[[ -x $zombienet ]] || {
    echo "zombienet: its npm packages are missing. Run: make setup" >&2
    exit 1
}

dir=$(mktemp -d -t "dstp-$2-XXXXXX")
group=
status=1

# Zombienet and its nodes run in a session of their own: one signal to the group ends them all.
cleanup() {
    trap - EXIT
    trap '' INT TERM HUP
    if [[ -n $group ]]; then
        kill -TERM -- "-$group" 2>/dev/null || true
        for _ in {1..50}; do
            kill -0 -- "-$group" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL -- "-$group" 2>/dev/null || true
    fi
    if [[ $status -eq 0 ]]; then
        rm -rf "$dir"
    else
        echo "zombienet: logs are in $dir" >&2
    fi
    exit "$status"
}
trap cleanup EXIT
# Ctrl-C is how a network that was started to be looked at ends.
trap 'if [[ $verb == spawn ]]; then status=0; else status=130; fi; exit "$status"' INT
trap 'status=143; exit 143' TERM HUP

# Colours only where a person reads them.
plain() { if [[ -t 1 ]]; then cat; else sed -u 's/\x1b\[[0-9;]*m//g'; fi; }

echo "zombienet: $verb $2"
setsid "$zombienet" --provider native --logType text --dir "$dir" --force "$verb" "$file" \
    </dev/null > >(plain) 2>&1 &
group=$!
status=0
wait "$group" || status=$?
if [[ $status -ne 0 ]]; then
    for log in "$dir"/*.log; do
        [[ -f $log ]] || continue
        printf '\n--- end of %s\n' "$log"
        tail -n 40 "$log"
    done
fi
