# Two hosts for engines and one for members that Python is, in one LAN: source it after lib.sh.
#
#   a [10.1.0.1]   b [10.1.0.2]   m [10.1.0.10, 10.1.0.11]
#
#   faults WHAT...    runs engine_WHAT.py at m
need nft

host lan a b m
ip -n "$PREFIX-lan" link add br0 type bridge mcast_snooping 0
ip -n "$PREFIX-lan" link set br0 up
for pair in a:10.1.0.1 b:10.1.0.2 m:10.1.0.10; do
  ip -n "$PREFIX-${pair%:*}" link add eth0 type veth peer name "to-${pair%:*}" netns "$PREFIX-lan"
  ip -n "$PREFIX-${pair%:*}" addr add "${pair#*:}/24" dev eth0
  ip -n "$PREFIX-${pair%:*}" link set eth0 up
  ip -n "$PREFIX-${pair%:*}" route add 224.0.0.0/4 dev eth0
  ip -n "$PREFIX-lan" link set "to-${pair%:*}" master br0 up
done
ip -n "$PREFIX-m" addr add 10.1.0.11/24 dev eth0
chmod 755 "$WORK"

faults() {
  what=$1
  at m env PYTHONDONTWRITEBYTECODE=1 python3 "$HERE/engine_$what.py" "$BIN" "$WORK" "$PREFIX" || FAIL "engine_$what.py"
}
