# Whole agents in the network namespace tests: source it after lib.sh.
#
#   sites NAME...         hosts in networks of their own, joined by a router that forwards unicast:
#                         the Nth has eth0 with 10.9N.0.2/24
#   agent NAME [LINE...]  starts tribecastd there; every site is a peer, LINEs are added to the file
#                         by the command $UNDER, if that is set
#   tell NAME VERB...     asks it
#   field NAME VERB EXPR  a value of its JSON answer, as a Python expression on `a`
#   member LABEL NAME ... starts tomcat.py there
need python3
export TRIBECAST_BIN_DIR

umask 022
chmod 755 "$WORK"
KEYS=$WORK/cluster.keys
(umask 077 && "$BIN/tribecast" keygen >"$KEYS")
SITES=""

address_of() {
  number=0
  for site in $SITES; do
    number=$((number + 1))
    [ "$site" != "$1" ] || echo "10.9$number.0.2"
  done
}

sites() {
  host router
  at router sysctl -qw net.ipv4.ip_forward=1
  SITES="$*"
  for site in "$@"; do
    host "$site"
    own=$(address_of "$site")
    link "$site" eth0 "$own/24" router "to-$site" "${own%.2}.1/24"
    at "$site" ip route add default via "${own%.2}.1"
  done
}

configure() {
  name=$1
  shift
  {
    printf '[node]\nname = %s\n[control]\nsocket = %s\n' "$name" "$WORK/$name.sock"
    printf '[security]\nkeyring = %s\n' "$KEYS"
    printf '[group "tomcat"]\naddress = 228.0.0.4:45564\n'
    for line in "$@"; do printf '%s\n' "$line"; done
    for site in $SITES; do printf '[peer "%s"]\naddress = %s\n' "$site" "$(address_of "$site")"; done
  } >"$WORK/$name.conf"
}

launch() {
  start "agent-$1" "$1" ${UNDER:-} "$BIN/tribecastd" --config "$WORK/$1.conf" --forbidden-calls kill
  eventually 20 grep -q "ready" "$WORK/agent-$1" || FAIL "the agent of $1 does not start"
}

agent() {
  configure "$@"
  launch "$1"
}

tell() {
  name=$1
  shift
  "$BIN/tribecast" --socket "$WORK/$name.sock" "$@"
}

field() {
  tell "$1" --json $2 | python3 -c "import json, sys; a = json.load(sys.stdin); print($3)"
}

holds() { [ "$(field "$1" "$2" "$3")" = True ]; }

# The command ends with this code; what it said is in $WORK/answer and $WORK/complaint.
exits() {
  code=0
  wanted=$1
  shift
  "$@" >"$WORK/answer" 2>"$WORK/complaint" || code=$?
  equal $code "$wanted"
}
answered() { grep -q -- "$1" "$WORK/answer"; }
complained() { grep -q -- "$1" "$WORK/complaint"; }

up() {
  for name in "$@"; do
    tell "$name" wait --peers all --timeout 30s >/dev/null || FAIL "$name does not reach its peers"
  done
}

member() {
  label=$1
  where=$2
  shift 2
  start "$label" "$where" python3 "$HERE/tomcat.py" eth0 "$@"
  ready "$label"
}
