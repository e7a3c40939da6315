"""Failures that are seen at once, and what looks like a failure and is none. Each case prints its figures.

Times are those in the Tomcats' logs, against the clock of the harness. What is asserted is who is listed, and that it took
clearly less than Tomcat takes by itself: it drops a silent member after 2.6 to 4.2 s.
"""

import collections
import contextlib
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import time

import front
import network
from cluster import Cluster, check, say
from process import Failed, Skipped, eventually
from test_sessions import people
from tomcat import Settings

sys.path.append(str(pathlib.Path(__file__).parents[1] / "vpcsim"))

import vpc  # noqa: E402

QUEUED = Settings(send_options=8)  # Tomcat's default; nothing but a missing heartbeat tells an idle node of a death
LONG = bool(os.environ.get("TRIBECAST_LONG"))
TIMES = 5 if LONG else 3

AT_ONCE = 1.5            # for what would take Tomcat at least 2.6 s
BEFORE_TOMCAT = 2.3      # for what needs proof first; Tomcat takes at least 2.6 s, and 3.6 to 4.2 s under load
SETTLED = 1.5            # heartbeats are exchanged, and ports were tried


def figure(what, seconds):
    """seconds: the times that it took; None where it never came."""
    there = sorted(value * 1000 for value in seconds if value is not None)
    spread = (f"min {there[0]:.0f} median {statistics.median(there):.0f} max {there[-1]:.0f} ms" if there else "never")
    missing = len(seconds) - len(there)
    say(f"  figure {what}: {spread}, {len(there)} times{f', {missing} never' if missing else ''}, "
        f"load average {os.getloadavg()[0]:.1f}")


def first_change(watcher, member, gone, since, timeout=20):
    """When the watcher's log says that the member has gone, or was added; None if it does not within the timeout."""
    def seen():
        return [change.at for change in watcher.membership_changes(since)
                if change.member == member and change.gone == gone]
    with contextlib.suppress(Failed):
        return eventually("", seen, timeout)[0]


def delays(watchers, members, gone, since, timeout=20):
    """How long each of the watchers took to drop, or to add, each of the members."""
    times = [first_change(watcher, member, gone, since, timeout) for watcher in watchers for member in members]
    return [None if at is None else at - since for at in times]


def kill_now(*parts):
    """kill -9; unlike Tomcat.kill() without a pause before the next start. Returns when it was."""
    at = time.time()
    for part in parts:
        part.process.kill()
    return at


def all_within(seconds, limit):
    return all(value is not None and value < limit for value in seconds)


def evictions(cluster, members, since=0):
    """Lines of all logs, Tomcats' and agents', by which one of these members was dropped."""
    found = [f"{tomcat.name} dropped {change.member}" for tomcat in cluster.tomcats
             for change in tomcat.membership_changes(since) if change.gone and change.member in members]
    return found + our_evictions(cluster, members)


def our_evictions(cluster, members):
    """Only those that an agent decided upon."""
    return [line for agent in cluster.agents for line in agent.log_lines("member_dead")
            if any(f" {member}" in line for member in members)]


def verifications(cluster):
    """How often a Tomcat looked for itself whether a member is alive: it does when heartbeats are missing."""
    return sum(tomcat.process.log_text().count("Verification complete") for tomcat in cluster.tomcats)


def vpcsim_network(*arguments):
    missing = vpc.missing_programs()
    if missing:
        raise Skipped(f"missing: {', '.join(missing)}")
    return vpc.VpcNetwork(*arguments)


# --- a process dies ------------------------------------------------------------------------------------------------

Counter = collections.namedtuple("Counter", "host url")  # for front.Crowd: a page without a web server in front


@contextlib.contextmanager
def traffic(tomcats):
    """Visitors who write into their sessions on these nodes without a pause; none of them may notice anything."""
    with contextlib.ExitStack() as stack:
        crowds = [stack.enter_context(front.Crowd(Counter(tomcat.host, tomcat.url("/app/counter.jsp")), visitors=3))
                  for tomcat in tomcats]
        yield
    check(not any(crowd.failed or crowd.lost or crowd.stale for crowd in crowds),
          f"none of {sum(crowd.requests for crowd in crowds)} requests meanwhile failed or lost its session")


def process_dies_natively():
    """For comparison: native multicast and no agents."""
    with Cluster(QUEUED, network=network.Lan, agents=False) as cluster:
        cluster.start_tomcats()
        cluster.wait_complete()
        dropped = []
        for victim in cluster.tomcats[:2]:
            time.sleep(SETTLED)
            at = kill_now(victim)
            dropped += delays(cluster.running(), [victim.member], gone=True, since=at)
        figure("kill -9, option 8, idle, Tomcat alone, until dropped", dropped)
        check(None not in dropped, "Tomcat alone drops a dead member too")
        return min(dropped)


def process_dies(load=False, kills=TIMES):
    """kill -9 of a Tomcat: the kernel tells its agent at once."""
    with Cluster(QUEUED, network=vpcsim_network) as cluster:
        cluster.start()
        victim, *others = cluster.tomcats
        dropped, back = [], []
        with traffic(others) if load else contextlib.nullcontext():
            for number in range(kills):
                time.sleep(SETTLED)
                at = kill_now(victim)
                dropped += delays(others, [victim.member], gone=True, since=at)
                if number < kills - 1:
                    at = time.time()
                    victim.start()
                    cluster.wait_complete()
                    back += delays(others, [victim.member], gone=False, since=at)
        figure(f"kill -9, option 8, {'under load' if load else 'idle'}, until dropped", dropped)
        figure("started again, until listed", back)
        say(f"  figure verifications by Tomcat itself: {verifications(cluster)}")
        check(all_within(dropped, AT_ONCE), f"{kills} times killed: both others dropped it long before its drop time")
        survivors = [tomcat.member for tomcat in others]
        check(not evictions(cluster, survivors), "and nobody else")
    if not load:
        check(max(dropped) < process_dies_natively() / 2, "the slowest took less than half of Tomcat's fastest")


WITHOUT_SOCK_DIAG = [sys.executable, pathlib.Path(__file__).parents[1] / "netns" / "without_sock_diag.py"]


def process_dies_held(kills=TIMES):
    """The kernel tells the agents nothing (a system call filter forbids sock_diag): connections are held instead."""
    with Cluster(QUEUED) as cluster:
        for agent in cluster.agents:
            agent.runs(prefix=WITHOUT_SOCK_DIAG)
        cluster.start()
        check(all(agent.ask("status")["node"]["death_watch"] == "held_connections" for agent in cluster.agents),
              "every agent holds connections")
        everybody = [tomcat.member for tomcat in cluster.tomcats]
        victim, *others = cluster.tomcats
        dropped = []
        for number in range(kills):
            time.sleep(SETTLED)
            at = kill_now(victim)
            dropped += delays(others, [victim.member], gone=True, since=at)
            check(not evictions(cluster, [tomcat.member for tomcat in others]), f"killed, {number + 1}: nobody else was dropped")
            victim.start()
            cluster.wait_complete()
        figure("kill -9, option 8, idle, held connections, until dropped", dropped)
        check(all_within(dropped, AT_ONCE), f"{kills} times killed: both others dropped it long before its drop time")

        began = time.time()
        told = len(our_evictions(cluster, everybody))
        with standing_still(victim):
            time.sleep(6)
        time.sleep(3)
        with standing_still(victim), full_backlog(victim) as connections:
            cluster.agents[0].stop()  # its successor cannot connect
            cluster.agents[0].start()
            time.sleep(6)
        time.sleep(3)
        check(len(our_evictions(cluster, everybody)) == told,
              f"it stood still for 6 s, and with {connections} connections in its backlog: no agent takes that for a death")
        cluster.wait_complete()
        at = kill_now(victim)
        again = delays(others, [victim.member], gone=True, since=at)
        figure("killed after its backlog had been full, until dropped", again)
        check(all_within(again, AT_ONCE), "it is watched again")
        say(f"  figure {time.time() - began:.0f} s, verifications by Tomcat itself: {verifications(cluster)}")


def process_dies_beside_another():
    """Two Tomcats on each host: exactly the dead one goes, from its sibling's list too."""
    with Cluster(QUEUED, hosts=2, per_host=2, network=vpcsim_network) as cluster:
        cluster.start()
        siblings = cluster.tomcats[:2]
        remote, local = [], []
        for victim, sibling in (siblings, reversed(siblings), siblings):
            time.sleep(SETTLED)
            at = kill_now(victim)
            remote += delays(cluster.tomcats[2:], [victim.member], gone=True, since=at)
            local += delays([sibling], [victim.member], gone=True, since=at)
            time.sleep(4)  # what its drop time would do
            living = [tomcat.member for tomcat in cluster.running()]
            check(not [change for tomcat in cluster.running() for change in tomcat.membership_changes(at)
                       if change.gone and change.member in living],
                  f"{victim.member} is killed: nobody drops anybody else")
            victim.start()
            cluster.wait_complete()
        figure("one of two on a host killed, until dropped on the other host", remote)
        figure("one of two on a host killed, until dropped by its sibling", local)
        check(all_within(remote + local, AT_ONCE), "all dropped it long before its drop time")


def quick_restart(rounds=TIMES - 1):
    """Killed and started at once: without an agent the others list it twice, for good."""
    with Cluster(QUEUED, network=vpcsim_network) as cluster:
        cluster.start()
        sessions = {visitor.session for visitor in people(cluster, 9)}
        victim, *others = cluster.tomcats
        dropped, back, ghosts = [], [], 0
        for _ in range(rounds):
            time.sleep(SETTLED)
            transfers = victim.state_transfers()
            at = kill_now(victim)
            victim.start()
            cluster.wait_complete()
            dropped += delays(others, [victim.member], gone=True, since=at)
            back += delays(others, [victim.member], gone=False, since=at)
            check(victim.state_transfers() == transfers + 1 and sessions <= set(victim.sessions()),
                  "killed and started at once: it is given every session")
            time.sleep(4)
            ghosts += sum(tomcat.members().count(victim.member) != 1 for tomcat in others)
        figure("quick restart, until the former self was dropped", dropped)
        figure("quick restart, until the new one was listed", back)
        say(f"  figure ghosts: {ghosts} of {rounds * len(others)} looks")
        check(ghosts == 0, "after each restart both others list it once")


# --- the agent was away --------------------------------------------------------------------------------------------

def agent_was_away():
    """A Tomcat dies while its agent is away: the agent tells when it is back, the others find out without it."""
    with Cluster(QUEUED, network=vpcsim_network) as cluster:
        cluster.start()
        victim, *others = cluster.tomcats
        agent = cluster.agents[0]
        told = []
        for away in (0.2, 6):
            time.sleep(SETTLED)
            kill_now(agent)
            time.sleep(away)
            kill_now(victim)
            at = time.time()
            agent.start()
            told += delays(others, [victim.member], gone=True, since=at)
            restart_without_ghost(cluster, victim, f"{away} s without an agent, then killed")

        time.sleep(SETTLED)
        both = delays(others, [victim.member], gone=True, since=kill_now(agent, victim))
        agent.start()
        restart_without_ghost(cluster, victim, "killed together with its agent")

        time.sleep(SETTLED)
        kill_now(agent)
        time.sleep(7)
        later = delays(others, [victim.member], gone=True, since=kill_now(victim))
        agent.start()
        restart_without_ghost(cluster, victim, "killed while its agent stays away")

        time.sleep(SETTLED)
        kill_now(agent, victim)
        victim.start()
        agent.start()
        cluster.wait_complete()
        time.sleep(4)
        check(cluster.wait_complete() < 2, "killed and started while its agent was away: no ghost")

        figure("agent back, until its dead member was dropped", told)
        figure("killed together with its agent, until dropped", both)
        figure("killed while its agent is away for 7 s and longer, until dropped", later)
        check(all_within(told, AT_ONCE), "a member that died without its agent is dropped when the agent starts")
        check(all_within(both, BEFORE_TOMCAT) and None not in later, "and without its agent too")


def restart_without_ghost(cluster, tomcat, what):
    tomcat.start()
    cluster.wait_complete()
    time.sleep(4)
    check(cluster.wait_complete() < 2, f"{what}: no ghost after its restart")


# --- a host is gone ------------------------------------------------------------------------------------------------

def host_gone(cable=True, cuts=TIMES - 1):
    """cable: its link goes down at the router, which then says so. Else whatever it sends or is sent vanishes."""
    with Cluster(QUEUED, network=network.RoutedNetwork if cable else vpcsim_network) as cluster:
        cluster.start()
        lone, *others = cluster.tomcats
        names = [tomcat.name for tomcat in others]
        dropped, back, back_there = [], [], []
        for _ in range(cuts):
            time.sleep(SETTLED)
            at = time.time()
            set_cable(cluster, "down") if cable else cluster.network.partition([lone.name], names)
            dropped += delays(others, [lone.member], gone=True, since=at)
            time.sleep(4)
            at = time.time()
            set_cable(cluster, "up") if cable else cluster.network.heal()
            back += delays(others, [lone.member], gone=False, since=at)
            cluster.wait_complete()
            back_there += delays([lone], [tomcat.member for tomcat in others], gone=False, since=at)
        figure(f"host gone ({'cable' if cable else 'black hole'}), until dropped", dropped)
        figure("cable back, until listed by the others", back)
        figure("cable back, until it lists the others", back_there)
        check(all_within(dropped, BEFORE_TOMCAT), f"{cuts} times cut off: both others dropped it before Tomcat would")
        check(not evictions(cluster_of(cluster, others), [tomcat.member for tomcat in others]),
              "the others never dropped each other")


def cluster_of(cluster, tomcats):
    """Only what these Tomcats and their agents say."""
    View = collections.namedtuple("View", "tomcats agents")
    hosts = [tomcat.host for tomcat in tomcats]
    return View(tomcats, [agent for agent in cluster.agents if agent.host in hosts])


def set_cable(cluster, state):
    """Of the first host, at the router."""
    subprocess.run(["ip", "-n", cluster.network.middle, "link", "set", f"to-{cluster.hosts[0].name}", state], check=True)


# --- nobody is told to have left who lives -------------------------------------------------------------------------

def nobody_evicted():
    """Agents that crash, and Tomcats that stand still; two Tomcats on each host."""
    seconds = 120 if LONG else 30
    with Cluster(QUEUED, hosts=2, per_host=2, network=vpcsim_network) as cluster:
        cluster.start()
        everybody = [tomcat.member for tomcat in cluster.tomcats]
        crashes = crash_agents(cluster, seconds)
        check(not evictions(cluster, everybody), f"{crashes} agent crashes in {seconds} s: nobody was dropped")
        frozen, agent = cluster.tomcats[1], cluster.agents[0]
        with standing_still(frozen):
            time.sleep(6)
        time.sleep(3)
        check(not evictions(cluster, everybody), "a Tomcat stood still for 6 s: nobody was dropped")
        with standing_still(frozen):
            kill_now(agent)
            time.sleep(6)
        agent.start()
        time.sleep(3)
        check(not evictions(cluster, everybody), "another 6 s, its agent away: nobody was dropped")
        asked = sum(len(agent.log_lines("peer_away")) for agent in cluster.agents)
        check(asked > 0, f"{asked} times an agent found that only its peer's agent was away")
        cluster.wait_complete()
        say(f"  figure verifications by Tomcat itself: {verifications(cluster)}; load average {os.getloadavg()[0]:.1f}")


def crash_agents(cluster, seconds):
    """One every 5 s, by turns; it stays away for shorter and for longer than peers need to become suspicious."""
    until = time.monotonic() + seconds
    crashes = 0
    while time.monotonic() < until:
        agent = cluster.agents[crashes % len(cluster.agents)]
        next_one = time.monotonic() + 5
        kill_now(agent)
        time.sleep((0, 1, 2.5)[crashes // len(cluster.agents) % 3])
        agent.start()
        crashes += 1
        time.sleep(max(0, next_one - time.monotonic()))
    return crashes


@contextlib.contextmanager
def standing_still(tomcat):
    os.kill(tomcat.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(tomcat.process.pid, signal.SIGCONT)


def no_proof():
    """Ports that refuse or do not answer although their Tomcats live. Tomcat itself drops such members when heartbeats
    are missing too, so only what the agents decide upon counts."""
    with Cluster(QUEUED) as cluster:
        cluster.start()
        walled, stuck, _ = cluster.tomcats
        everybody = [tomcat.member for tomcat in cluster.tomcats]

        with rejecting_firewall(walled.host):
            for agent in cluster.agents[1:]:  # they have tried the port before the firewall was there
                agent.stop()
                agent.start()
                agent.wait_for_peers()
            time.sleep(SETTLED)
            at = kill_now(cluster.agents[0])
            by_tomcat = delays(cluster.tomcats[1:], [walled.member], gone=True, since=at, timeout=6)
            cluster.agents[0].start()
        figure("a firewall that rejects, the agent crashed: until Tomcat itself dropped the member", by_tomcat)
        check(not our_evictions(cluster, everybody), "a firewall that rejects: no agent takes it for a death")
        cluster.wait_complete()

        time.sleep(SETTLED)
        with standing_still(stuck), full_backlog(stuck) as connections:
            at = kill_now(cluster.agents[1])
            by_tomcat = delays([walled], [stuck.member], gone=True, since=at, timeout=6)
        cluster.agents[1].start()
        figure(f"{connections} connections fill a frozen Tomcat's backlog, the agent crashed: until Tomcat itself "
               "dropped the member", by_tomcat)
        check(not our_evictions(cluster, everybody), "a full backlog: no agent takes it for a death")
        cluster.wait_complete()


@contextlib.contextmanager
def rejecting_firewall(host):
    host.run("nft", "add table inet interop; add chain inet interop input { type filter hook input priority 0; }; "
                    "add rule inet interop input tcp dport 4000 reject with tcp reset")
    try:
        yield
    finally:
        host.run("nft", "delete table inet interop")


@contextlib.contextmanager
def full_backlog(tomcat):
    """Connects until nobody answers any more; yields how many connections that were."""
    address, port = tomcat.member.split(":")
    with contextlib.ExitStack() as stack, network.inside(tomcat.host.reached_from):
        for number in range(2000):
            try:
                stack.enter_context(socket.create_connection((address, int(port)), timeout=0.5))
            except TimeoutError:
                yield number
                return
        raise Failed(f"{tomcat.member} has accepted 2000 connections while it stood still")


# --- loss ----------------------------------------------------------------------------------------------------------

def loss(percent=30):
    """All packets, those of Tomcat's own TCP connections too. Six heartbeats in a row are lost every few minutes; half of
    the time Tomcat's look at the member's port, 1 s, is lost as well, and it drops the member. So each is sent twice."""
    seconds = 600 if LONG else 60
    with Cluster(QUEUED, network=vpcsim_network, peer_settings="copies = 2\n") as cluster:
        cluster.start()
        everybody = [tomcat.member for tomcat in cluster.tomcats]
        cluster.network.set("*", loss=percent)
        time.sleep(seconds)
        cluster.network.clear()
        pairs = cluster.network.counters()["pairs"].values()
        lost = sum(pair["dropped"]["loss"] for pair in pairs)
        ours = our_evictions(cluster, everybody)
        away = sum(len(agent.log_lines("peer_away")) for agent in cluster.agents)
        say(f"  figure {percent} % loss for {seconds} s: {lost} packets lost, {verifications(cluster)} verifications by "
            f"Tomcat itself, {len(ours)} wrong verdicts, {away} times peer_away, load average {os.getloadavg()[0]:.1f}")
        check(lost > 0 and not evictions(cluster, everybody), "no member was dropped")


def leave_notices(percent=30):
    """Tomcat says goodbye once, in one packet; the agents see to it that it arrives."""
    leaves = 30 if LONG else 5
    with Cluster(QUEUED, network=vpcsim_network) as cluster:
        cluster.start()
        leaver, *others = cluster.tomcats
        seen = []
        for number in range(leaves):
            time.sleep(SETTLED)
            cluster.network.set("*", loss=percent)
            at = time.time()
            leaver.stop()
            seen += delays(others, [leaver.member], gone=True, since=at)
            cluster.network.clear()
            if number < leaves - 1:
                leaver.start()
                cluster.wait_complete()
        at_once = sum(value is not None and value < AT_ONCE for value in seen)
        figure(f"{percent} % loss, from SIGTERM until the others dropped it", seen)
        say(f"  figure {at_once} of {len(seen)} leave notices at once")
        check(at_once == len(seen), "every leave notice was seen at once")
        check(not evictions(cluster, [tomcat.member for tomcat in others]), "and nobody else was dropped")
