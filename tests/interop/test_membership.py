"""Who sees whom."""

import time

from cluster import Cluster, check, say
from network import Lan
from process import eventually
from test_sessions import nodes_come_and_go
from tomcat import Settings


def forms():
    """Without agents three networks hold three lone Tomcats; with agents they are one cluster."""
    with Cluster() as cluster:
        for tomcat in cluster.tomcats:
            tomcat.launch()  # all at once: nobody hears anybody, so nobody waits for anybody
        for tomcat in cluster.tomcats:
            tomcat.wait_started()
        time.sleep(2)
        check(not any(cluster.members().values()), "without agents no Tomcat sees a member")
        cluster.start_agents()
        say(f"  complete {cluster.wait_complete():.2f} s after the agents had each other")
        check(True, "with agents every Tomcat sees the two others")
        everybody = sorted(tomcat.member for tomcat in cluster.tomcats)
        eventually("the agents list three members", lambda: all(
            agent.members("alive", "late") == everybody for agent in cluster.agents), timeout=20)
        eventually("the agents are content", lambda: all(
            agent.ask("status")["verdict"]["level"] == "ok" for agent in cluster.agents), timeout=20)
        check(True, "every agent lists the three and says that all is well")


def two_per_host():
    """Two Tomcats share a host, its port 45564 and its agent."""
    with Cluster(hosts=2, per_host=2) as cluster:
        cluster.start()
        check(all(len(members) == 3 for members in cluster.members().values()), "four Tomcats on two hosts see each other")
        visitor = cluster.visitor()
        visitor.visit(cluster.tomcats[0].url("/app/session.jsp"), create=1, set="cart", to="book")
        seen = [visitor.visit(tomcat.url("/app/session.jsp")) for tomcat in cluster.tomcats]
        check(seen == [{"cart": "book"}] * 4, "a session written on one is read on all four")
        cluster.tomcats[1].kill()
        cluster.wait_complete()
        check(True, "one of a host's two is killed: all three others drop it and keep its neighbour")
        cluster.tomcats[1].start()
        cluster.wait_complete()
        check(cluster.tomcats[1].holds(visitor.session), "it starts again and is given the session")


def beside_multicast():
    """Agents in a network that has multicast after all: superfluous, but harmless."""
    with Cluster(network=Lan) as cluster:
        cluster.start()
        nodes_come_and_go(cluster)
        groups = [agent.group() for agent in cluster.agents]
        uptimes = [agent.ask("status")["node"]["uptime_seconds"] for agent in cluster.agents]
        check(all(group["captured"] <= 3 * uptime for group, uptime in zip(groups, uptimes)),
              "an agent takes up the heartbeats of its own Tomcat alone, about two a second")
        check(all(group["relayed"] <= 2 * group["captured"] for group in groups), "sends each once to each of two peers")
        check(all(group["injected"] <= group["received"] for group in groups), "and injects each that it received once")


def loopback_name():
    """A host name that means 127.0.1.1 (Debian's installer) must not spread: each node would replicate to itself."""
    with Cluster() as cluster:
        trapped, *sound = cluster.tomcats
        trapped.host.map_own_name_to_loopback()
        cluster.start_agents()
        cluster.start_tomcats()
        time.sleep(3)
        check(all(tomcat.members() == [other.member] for tomcat, other in zip(sound, reversed(sound))),
              "the two sound nodes see each other and nobody at 127.0.1.1")
        check(cluster.agents[0].refused("loopback_member") > 0, "the agent says that it refuses a loopback member")
        check(all(agent.members("alive", "late") == sorted(tomcat.member for tomcat in sound)
                  for agent in cluster.agents[1:]),
              "the other agents know nothing of it")


def mixed_versions():
    """Tomcat 9 and 10.1 in one cluster, as during an upgrade."""
    with Cluster([Settings(version=9), Settings(version=10), Settings(version=9)]) as cluster:
        cluster.start_agents()
        nine, ten, late_nine = cluster.tomcats
        nine.start()
        visitor = cluster.visitor()
        visitor.visit(nine.url("/app/session.jsp"), create=1, set="cart", to="book")
        ten.start()
        check(visitor.visit(ten.url("/app/session.jsp")) == {"cart": "book"}, "10.1 is given the session that 9 holds")
        late_nine.start()
        check(late_nine.holds(visitor.session), "and another 9 as well")
        cluster.wait_complete()
        visitor.visit(ten.url("/app/session.jsp"), set="cart", to="two books")
        check(visitor.visit(nine.url("/app/session.jsp")) == {"cart": "two books"}, "a write on 10.1 is read on 9")
