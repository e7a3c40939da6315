"""Real Tomcats over an impaired VPC."""

import time

import tomcat
from cluster import Cluster
from process import Skipped, eventually
from rig import check, figure
from vpc import VpcNetwork


def tomcats(seed):
    """5 % loss and 10-30 ms for 20 s; then one host is cut off for longer than the drop time, and comes back."""
    missing = tomcat.missing_packages((10,))
    if missing:
        raise Skipped(f"missing: {', '.join(missing)}")
    with Cluster(network=lambda prefix, names: VpcNetwork(prefix, names, seed=seed)) as cluster:
        net = cluster.network
        cluster.start()
        net.set("*", loss=5, delay="10ms", jitter="0-20ms")
        visitor = cluster.visitor()
        visitor.visit(cluster.tomcats[0].url("/app/session.jsp"), create=1, set="cart", to="book")
        time.sleep(20)
        seen = [visitor.visit(one.url("/app/session.jsp")) for one in cluster.tomcats]
        dropped = sum(one.members_dropped() for one in cluster.tomcats)
        net.clear()
        *_, lone = (host.name for host in cluster.hosts)
        others = [host.name for host in cluster.hosts if host.name != lone]
        net.partition(others, [lone])
        eventually("each side drops the other", lambda: [len(one.members()) for one in cluster.tomcats] == [1, 1, 0],
                   timeout=60)
        net.heal()
        back = cluster.wait_complete()
        lost = sum(pair["dropped"]["loss"] for pair in net.counters()["pairs"].values())
        figure(f"real Tomcats: {lost} packets lost, {dropped} members dropped, session read on {len(seen)} of 3; all "
               f"members back {back:.1f} s after a partition, seed {seed}")
        check(lost > 0 and dropped == 0, "no member is dropped at 5 % loss")
        check(seen == [{"cart": "book"}] * 3, "a session is read on every node")
