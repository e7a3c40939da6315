# Library of the network namespace tests: source it first.
#
# Each test makes its own namespaces, named after its process, and removes them whatever happens.
# Exit 0: every CHECK held. 1: a FAIL. 77: SKIP, this machine cannot run it.
#
#   host NAME...                a namespace with lo up
#   link HOST IF ADDR HOST IF ADDR   a veth pair, both ends up
#   at HOST COMMAND...          run there
#   start LABEL HOST COMMAND... run there in the background, output in $WORK/LABEL
#   stop LABEL                  end it (SIGTERM) and wait
#   eventually SECONDS COMMAND...    until the command succeeds
#   CHECK WHAT COMMAND...       FAIL with WHAT unless the command succeeds
set -eu

TEST=$(basename "$0")
BIN=${TRIBECAST_BIN_DIR:?directory of the built programs}
HERE=$(cd "$(dirname "$0")" && pwd)
APP="python3 $HERE/app.py"
WORK=$(mktemp -d "/tmp/tribecast-$TEST.XXXXXX")
PREFIX="tbc$$"
NAMESPACES=""
LABELS=""

say() { echo "$TEST: $*"; }

SKIP() {
  say "SKIP: $*"
  exit 77
}

FAIL() {
  say "FAIL: $*"
  for log in "$WORK"/*; do
    [ -f "$log" ] || continue
    case "$log" in *.pid | *.batch) continue ;; esac
    echo "--- $(basename "$log")"
    tail -n 30 "$log"
  done
  exit 1
}

CHECK() {
  what=$1
  shift
  "$@" || FAIL "$what"
  say "ok: $what"
}

cleanup() {
  status=$?
  trap - EXIT INT TERM
  for label in $LABELS; do stop "$label" || true; done
  for name in $NAMESPACES; do ip netns del "$name" 2>/dev/null || true; done
  rm -rf "$WORK"
  exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM

need() {
  for tool in "$@"; do command -v "$tool" >/dev/null || SKIP "needs $tool"; done
}

[ "$(id -u)" = 0 ] || SKIP "needs root"
need ip python3
ip netns add "$PREFIX-try" 2>/dev/null || SKIP "network namespaces cannot be made here"
ip netns del "$PREFIX-try"

host() {
  for name in "$@"; do
    ip netns add "$PREFIX-$name"
    NAMESPACES="$NAMESPACES $PREFIX-$name"
    ip -n "$PREFIX-$name" link set lo up
  done
}

link() {
  ip -n "$PREFIX-$1" link add "$2" type veth peer name "$5" netns "$PREFIX-$4"
  ip -n "$PREFIX-$1" addr add "$3" dev "$2"
  ip -n "$PREFIX-$4" addr add "$6" dev "$5"
  ip -n "$PREFIX-$1" link set "$2" up
  ip -n "$PREFIX-$4" link set "$5" up
}

at() {
  where=$1
  shift
  ip netns exec "$PREFIX-$where" "$@"
}

# `ip netns exec` becomes the command, so the process id is the command's. What an earlier one with this
# label said is gone at once, not only when the new one begins.
start() {
  label=$1
  where=$2
  shift 2
  : >"$WORK/$label"
  ip netns exec "$PREFIX-$where" "$@" >"$WORK/$label" 2>&1 &
  echo $! >"$WORK/$label.pid"
  LABELS="$LABELS $label"
}

stop() {
  [ -f "$WORK/$1.pid" ] || return 0
  pid=$(cat "$WORK/$1.pid")
  rm -f "$WORK/$1.pid"
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

eventually() {
  tries=$(($1 * 20))
  shift
  while ! "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || return 1
    sleep 0.05
  done
}

# Waits until a background program has said so.
ready() {
  for label in "$@"; do
    eventually 10 grep -q "^ready" "$WORK/$label" || FAIL "$label does not start"
  done
}

# Monotonic, to measure; nothing is judged by it.
now_ms() { python3 -c 'import time; print(int(time.monotonic() * 1000))'; }

# How many lines of a log match.
count() { grep -c -- "$2" "$WORK/$1" || true; }

equal() {
  [ "$1" = "$2" ] || {
    say "expected $2, have $1"
    return 1
  }
}

# Listens on the other end of a wire; only what could be ours, not neighbour and group chatter.
sniff() {
  start "$1" "$2" tcpdump -l -n -v -i "$3" --immediate-mode "udp or (ip[6:2] & 0x1fff != 0)"
  eventually 10 grep -q "listening on" "$WORK/$1" || FAIL "tcpdump does not start"
}
