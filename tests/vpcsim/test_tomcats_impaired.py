"""Real Tomcats over an impaired VPC."""

import time

import tomcat
from cluster import Cluster
from process import Skipped, eventually
from rig import LONG, check, figure
from vpc import VpcNetwork


PAGE = "/app/session.jsp"


def tomcats(seed):
    """5 % loss and 10-30 ms for 20 s; then one host is cut off, and comes back."""
    missing = tomcat.missing_packages((10,))
    if missing:
        raise Skipped(f"missing: {', '.join(missing)}")
    with Cluster(network=lambda prefix, names: VpcNetwork(prefix, names, seed=seed)) as cluster:
        net = cluster.network
        cluster.start()
        net.set("*", loss=5, delay="10ms", jitter="0-20ms")
        visitor = cluster.visitor()
        visitor.visit(cluster.tomcats[0].url(PAGE), create=1, set="cart", to="book")
        time.sleep(20)
        seen = [visitor.visit(one.url(PAGE)) for one in cluster.tomcats]
        dropped = drops(cluster)
        net.clear()
        lost = sum(pair["dropped"]["loss"] for pair in net.counters()["pairs"].values())
        figure(f"real Tomcats, 5 % loss: {lost} packets lost, {dropped} members dropped, session read on {len(seen)} of 3, seed {seed}")
        check(lost > 0 and dropped == 0, "no member is dropped at 5 % loss")
        check(seen == [{"cart": "book"}] * 3, "a session is read on every node")
        partition(cluster, seed)
        check([visitor.visit(one.url(PAGE)) for one in cluster.tomcats] == [{"cart": "book"}] * 3,
              "the session is still read on every node")


def drops(cluster):
    return sum(one.members_dropped() for one in cluster.tomcats)


def partition(cluster, seed):
    """One host is cut off until each side has dropped the other; in the long form for 60 s."""
    before = drops(cluster)
    *_, lone = (host.name for host in cluster.hosts)
    began = time.monotonic()
    cluster.network.partition([host.name for host in cluster.hosts if host.name != lone], [lone])

    def apart():
        return [len(one.members()) for one in cluster.tomcats] == [1, 1, 0]

    eventually("each side drops the other", apart, timeout=60)
    if LONG:
        time.sleep(max(0, began + 60 - time.monotonic()))
    still = apart()
    lasted = time.monotonic() - began
    cluster.network.heal()
    back = cluster.wait_complete()
    time.sleep(5)
    dropped = drops(cluster) - before
    figure(f"real Tomcats, partition of {lasted:.0f} s: each side dropped the other, {dropped} drops, all members back "
           f"{back:.1f} s after the heal, seed {seed}")
    check(still, "both sides stay apart, and each stays together")
    check(dropped == 4, "two were dropped by the one and the one by two, once each, and nobody after the heal")
