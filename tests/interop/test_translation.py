"""Members behind one-to-one address translation, and peers without an agent."""

import contextlib
import dataclasses

import tomcat as tomcats
from agent import Agent, write_keyring
from cluster import Cluster, check
from network import TranslatedNetwork
from process import eventually
from tomcat import Settings

PAGE = "/app/session.jsp"


@dataclasses.dataclass
class Peer:
    """A host as the others reach it."""
    name: str
    address: str
    prefix: str  # of the address that it has itself


def rewrite(peer):
    return f"rewrite = {peer.prefix} -> {peer.address.rsplit('.', 1)[0]}.0/24\n"


@contextlib.contextmanager
def behind_translation(manager):
    """The cluster, agents and Tomcats started, and whether every Tomcat lists the others where it reaches them."""
    with Cluster(Settings(manager=manager), network=TranslatedNetwork, agents=False) as cluster:
        seen = cluster.network.seen
        peers = [Peer(host.name, seen(host), f"10.81.{host.number}.0/24") for host in cluster.hosts]
        keyring = cluster.directory / "cluster.keys"
        write_keyring(keyring)
        cluster.agents = [Agent(host, cluster.directory, peers, keyring, peer_settings=rewrite) for host in cluster.hosts]
        cluster.start_agents()
        cluster.start_tomcats()

        def complete():
            return all(tomcat.members() == sorted(f"{seen(other.host)}:4000" for other in cluster.running()
                                                  if other is not tomcat) for tomcat in cluster.running())

        eventually("every Tomcat lists the others where it reaches them", complete, timeout=30)
        check(True, "every Tomcat lists the others at their translated addresses")
        yield cluster, complete


def translated():
    # Not answered, the wait for the state lasts as long as a Tomcat's start may be delayed: 60 s by default.
    with behind_translation(tomcats.DELTA.replace("<Manager ", '<Manager stateTransferTimeout="5" ')) as (cluster, complete):
        first, second, third = cluster.tomcats
        check(replicates(cluster), "a session written on each is read on the others, and ends on all")

        visitor = cluster.visitor()
        visitor.visit(first.url(PAGE), create=1, set="user", to="ann")
        second.stop()
        eventually("the others drop it", complete)
        second.start()
        eventually("it is back", complete)
        check(second.holds(visitor.session), "started again, with the announced address reachable: it is given the state")

        cluster.network.close_untranslated()
        check(replicates(cluster), "with the translated addresses alone: a session written on each is read on the others, and ends on all")
        third.kill()
        eventually("the others drop it", complete)
        check(True, "one is killed: the others drop it at its translated address")
        second.stop()
        eventually("the others drop it", complete)
        second.start()
        eventually("it is back", complete)
        check(not second.holds(visitor.session),
              "started again: the state does not come, since the answer goes to the announced address")
        check(replicates(cluster), "what is written from then on does")


def translated_maps():
    """The BackupManager, whose maps find each other by asking."""
    with behind_translation(tomcats.BACKUP) as (cluster, _):
        eventually("a session written on each is read on the others, and ends on all", lambda: replicates(cluster), timeout=60)
        check(True, "with the announced address reachable: a session written on each is read on the others, and ends on all")
        cluster.network.close_untranslated()
        visitor = cluster.visitor()
        first, *others = cluster.tomcats
        visitor.visit(first.url(PAGE), create=1, set="on", to=first.name)
        check(first.holds(visitor.session) and not any(tomcat.holds(visitor.session) for tomcat in others),
              "with the translated addresses alone: no other node has what is written")


def agentless():
    """An agent on the first host alone; the second, which has none, is told of its Tomcat by plain unicast."""
    with Cluster(hosts=2, agents=False) as cluster:
        keyring = cluster.directory / "cluster.keys"
        write_keyring(keyring)
        agent = Agent(cluster.hosts[0], cluster.directory, cluster.hosts, keyring, peer_settings="agentless = yes\n")
        cluster.agents = [agent]
        cluster.start_agents()
        cluster.start_tomcats()
        first, second = cluster.tomcats
        eventually("the second lists the first", lambda: second.members() == [first.member])
        check(first.members() == [], "the host without an agent hears the other one, and is not heard")
        peers = {peer["name"]: peer for peer in agent.ask("peers")["peers"]}
        check(peers["web-1"]["state"] == "self" and peers["web-2"]["state"] == "up" and peers["web-2"]["agentless"],
              "the agent shows it as up, without an agent")
        check(agent.ask("status")["verdict"]["level"] == "ok", "and is content")
        first.kill()
        eventually("it is dropped", lambda: second.members() == [])
        changes = [change for change in second.membership_changes() if change.gone]
        check(len(changes) == 1, "killed, it is dropped, once")


def replicates(cluster):
    """A session that is written on each node in turn is read on all others, and ended there is gone on all; option 6
    waits until it was processed."""
    for writer in cluster.running():
        visitor = cluster.visitor()
        visitor.visit(writer.url(PAGE), create=1, set="on", to=writer.name)
        visitor.visit(writer.url(PAGE), set="cart", to="book")
        for reader in cluster.running():
            if visitor.visit(reader.url(PAGE)) != {"on": writer.name, "cart": "book"}:
                return False
        ended = visitor.session
        visitor.visit(writer.url(PAGE), logout=1)
        if any(reader.holds(ended) for reader in cluster.running()):
            return False
    return True
