"""Agents that come and go beside running Tomcats."""

import time

from cluster import Cluster, check
from process import eventually
from test_sessions import everyone_known, people


def tomcat_after_agent():
    """A Tomcat looks for members in its first two seconds and never again: a second after its agent it must find them."""
    with Cluster() as cluster:
        for agent in cluster.agents[:2]:
            agent.start()
        for tomcat in cluster.tomcats[:2]:
            tomcat.start()
        cluster.wait_complete()
        visitors = people(cluster, 10)
        newcomer = cluster.tomcats[2]
        cluster.agents[2].start()
        time.sleep(1)
        newcomer.start()
        check(newcomer.state_transfers() == 1, "a Tomcat started 1 s after its agent asks the others for their sessions")
        check(everyone_known(visitors, [newcomer]), "and has them all")
        cluster.wait_complete()
        eventually("every agent sees every Tomcat's heartbeat about each 500 ms", lambda: all(
            0.2 < member["interval_seconds"] < 1.5
            for agent in cluster.agents for member in agent.ask("members")["members"]), timeout=20)


def agents_restart():
    """Restarting agents, politely or not, must drop nobody; nor may their absence for longer than the drop time."""
    with Cluster() as cluster:
        cluster.start()
        visitors = people(cluster, 6)
        for agent, end in ((cluster.agents[0], "stop"), (cluster.agents[1], "kill")):
            getattr(agent, end)()
            agent.start()
            agent.wait_for_peers()
            time.sleep(4)
        for agent in cluster.agents:
            agent.kill()
        time.sleep(5)
        cluster.start_agents()
        time.sleep(4)
        check(sum(tomcat.members_dropped() for tomcat in cluster.tomcats) == 0, "no Tomcat has dropped a member")
        check(cluster.wait_complete() < 5 and everyone_known(visitors, cluster.tomcats), "nothing was lost")
        last = cluster.tomcats[2]
        last.kill()
        cluster.wait_complete()
        last.start()
        check(last.state_transfers() == 2 and everyone_known(visitors, [last]),
              "the restarted agents serve a Tomcat that starts anew")
