"""Web servers in front, visitors without a pause, and nodes that die or are stopped under them."""

import front
from cluster import Cluster, check, say
from process import Skipped
from tomcat import Settings


def nginx():
    with Cluster(Settings(), extra_hosts=["front"]) as cluster:
        with_front(cluster, "nginx", lambda: front.nginx(cluster.extra_hosts[0], cluster.directory, cluster.tomcats))


def httpd_free():
    with Cluster(Settings(), extra_hosts=["front"]) as cluster:
        with_front(cluster, "apache2",
                   lambda: front.httpd(cluster.extra_hosts[0], cluster.directory, cluster.tomcats, sticky=False))


def httpd_sticky():
    with Cluster(Settings(jvm_route=True), extra_hosts=["front"]) as cluster:
        with_front(cluster, "apache2",
                   lambda: front.httpd(cluster.extra_hosts[0], cluster.directory, cluster.tomcats, sticky=True))


def with_front(cluster, program, make):
    if front.missing(program):
        raise Skipped(f"{program} is not installed")
    cluster.start()
    server = make()
    cluster.fronts.append(server)
    server.start()
    first, second, _ = cluster.tomcats
    with front.Crowd(server) as crowd:
        crowd.carry_on(300)
        first.kill()
        crowd.carry_on(300)
        killed = report(crowd)
        first.start()
        cluster.wait_complete()
        crowd.carry_on(300)
        second.stop()
        crowd.carry_on(300)
    say(f"  {crowd.requests} requests")
    check(killed == ([], []), "a node is killed with -9: no failed request, no lost session")
    check(report(crowd) == ([], []), "a node returns, another is stopped: no failed request, no lost session")


def report(crowd):
    for line in (crowd.failed + crowd.lost + crowd.stale)[:5]:
        say(f"  {line}")
    return list(crowd.failed), crowd.lost + crowd.stale
