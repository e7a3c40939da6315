# `tribecast doctor` in the network namespace tests: source it after agents.sh.
#
#   examine NAME [WORDS...]   runs it there as root; what it said is in $WORK/found, its exit code in $code
#   finds NAME [ID...]        it warns of, or fails, exactly these checks
#   says NAME ID WORDS        the check's finding there holds these words
#   healthy NAME              it finds nothing, with exit code 0
#   cannot_tell NAME [ID...]  it finds nothing, and could not check exactly these
#   agrees NAME ID WORDS      the check is content, and says these words
#
# A finding must come and stay away by itself: `finds` looks again for a while, since agents need a
# moment to notice.

#   neighbours NAME NAME      two more hosts, wired to each other; from then on they are the sites
#
# The host is named as its site and found in its /etc/hosts, unless a test says otherwise.
#   cluster_finds NAME [ID...]  the same of `doctor --all`, which asks the other agents, too
#   elsewhere         what that found on other hosts: `b:TC026 c:TC047`
HOSTS=$WORK/hosts
NAME_HERE=""
OPTIONS=""

neighbours() {
  host "$1" "$2"
  link "$1" eth0 10.99.0.1/24 "$2" eth0 10.99.0.2/24
  at "$1" ip route add default via 10.99.0.2
  at "$2" ip route add default via 10.99.0.1
  SITES="$1 $2"
  FIRST=$1
  address_of() { [ "$1" = "$FIRST" ] && echo 10.99.0.1 || echo 10.99.0.2; }
}

examine() {
  where=$1
  shift
  code=0
  own=$(address_of "$where")
  [ -f "$HOSTS" ] || printf '%s %s\n' "$own" "$where" >"$WORK/hosts.$where"
  at "$where" unshare -u -m sh -c '
    hostname "$1"; mount --bind "$2" /etc/hosts; shift 2; exec "$@"' - \
    "${NAME_HERE:-$where}" "$([ -f "$HOSTS" ] && echo "$HOSTS" || echo "$WORK/hosts.$where")" \
    ${EXAMINER:-} "$BIN/tribecast" --socket "$WORK/$where.sock" --json doctor --config "$WORK/$where.conf" $OPTIONS "$@" >"$WORK/found" 2>"$WORK/complaint" || code=$?
}

wrong_ids() {
  python3 -c "
import json, sys
print(*sorted({f['id'] for f in json.load(open('$WORK/found'))['findings'] if f['level'] in ('warning', 'failure')}))"
}

unknown_ids() {
  python3 -c "
import json
print(*sorted({f['id'] for f in json.load(open('$WORK/found'))['findings'] if f['level'] == 'unknown'}))"
}

cannot_tell_now() {
  who=$1
  shift
  examine "$who"
  equal "$(wrong_ids)" "" && equal "$(unknown_ids)" "$*"
}

cannot_tell() { eventually_slowly cannot_tell_now "$@"; }

agrees() {
  examine "$1"
  python3 -c "
import json, sys
sys.exit(not any('$3' in f['text'] for f in json.load(open('$WORK/found'))['findings'] if f['id'] == '$2' and f['level'] == 'ok'))"
}

finds_now() {
  who=$1
  shift
  examine "$who"
  equal "$(wrong_ids)" "$*"
}

finds() { eventually_slowly finds_now "$@"; }

cluster_finds() {
  OPTIONS=--all
  result=0
  finds "$@" || result=$?
  OPTIONS=""
  return $result
}

elsewhere() {
  python3 -c "
import json
print(*[f['host'] + ':' + f['id'] for f in json.load(open('$WORK/found'))['cluster']['findings']])"
}

# Each try takes two seconds by itself.
eventually_slowly() {
  tries=8
  while ! "$@" >"$WORK/try" 2>&1; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || {
      cat "$WORK/try"
      return 1
    }
  done
}

says() {
  python3 -c "
import json, sys
found = [f for f in json.load(open('$WORK/found'))['findings'] if f['id'] == '$1' and f['level'] != 'ok']
sys.exit(not any('$2' in f['text'] + ' ' + f['fix'] for f in found))"
}

exit_is() { equal "$code" "$1"; }

healthy() {
  finds "$1" && exit_is 0
}
