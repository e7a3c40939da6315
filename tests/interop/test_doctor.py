"""What `tribecast doctor` finds about real Tomcats."""

import contextlib
import socket
import subprocess
import threading

from cluster import Cluster, check
from network import inside
from process import eventually
from tomcat import Settings


def ids(agent, tomcat, *levels):
    return sorted({finding["id"] for finding in agent.examine(tomcat) if finding["level"] in levels})


def finds(agent, expected, text, tomcat=None):
    """Exactly these warnings and failures, within the time that agents need to notice."""
    seen = []

    def now():
        seen[:] = ids(agent, tomcat, "warning", "failure")
        return seen == expected
    try:
        eventually(text, now, timeout=20)
    finally:
        check(seen == expected, f"{text}: {' '.join(seen) or 'nothing'}")


def healthy_and_named():
    """Two healthy nodes give no warning; then each has something wrong that only a real Tomcat does."""
    with Cluster([Settings(), Settings(send_options=8)], hosts=2) as cluster:
        cluster.start_agents()
        good, eight = cluster.tomcats
        good.start()
        finds(cluster.agents[0], [], "one healthy node, alone")
        eight.start()
        cluster.wait_complete()
        finds(cluster.agents[0], [], "two nodes, on the one that is healthy")
        said = {finding["id"]: finding["text"] for finding in cluster.agents[0].examine()}
        check("java (pid" in said["TC012"], "it names the process that has joined")
        check(cluster.tomcats[1].member in said["TC026"], "it has reached the other one's port")
        check("channelSendOptions=6" in said["TC031"], "it has read server.xml")
        finds(cluster.agents[1], ["TC031"], "channelSendOptions 8")

        eight.stop()
        eight.host.map_own_name_to_loopback()
        eight.launch()
        finds(cluster.agents[1], ["TC021", "TC031"], "a host name that leads to 127.0.1.1")
        eight.kill()
        eight.host.write_hosts_file("127.0.0.1 localhost\n")
        eight.launch()
        eventually("Tomcat exits", lambda: not eight.process.running())
        finds(cluster.agents[1], ["TC012", "TC022"], "a host name that does not resolve: no Tomcat, and why")


def bind():
    """bind= on <Membership> without preferIPv4Stack, and with it."""
    bound = Settings(membership='bind="{address}"')
    cured = Settings(membership='bind="{address}"', jvm_flags=("-Djava.net.preferIPv4Stack=true",))
    with Cluster([bound, cured], hosts=2) as cluster:
        cluster.start_agents()
        without, with_flag = cluster.tomcats
        with_flag.start()
        finds(cluster.agents[1], [], "with preferIPv4Stack")
        without.launch()
        eventually("Java says what is wrong", lambda: "Invalid argument" in without.process.log_text())
        eventually("Tomcat exits", lambda: not without.process.running())
        finds(cluster.agents[0], ["TC012", "TC030"], "without it Tomcat is not there, and why", tomcat=without)


def text_of(agent, check_id):
    return " ".join(finding["text"] for finding in agent.examine() if finding["id"] == check_id)


@contextlib.contextmanager
def dropped(namespace, hook, *what):
    """A rule of the packet filter there, for the time of the block."""
    def nft(*words):
        subprocess.run(["ip", "netns", "exec", namespace, "nft", *words], check=True, capture_output=True)
    nft("add", "table", "ip", "test")
    nft("add", "chain", "ip", "test", "guard", f"{{ type filter hook {hook} priority 0; }}")
    nft("add", "rule", "ip", "test", "guard", *what, "drop")
    try:
        yield
    finally:
        nft("delete", "table", "ip", "test")


@contextlib.contextmanager
def large_sessions(cluster, tomcat):
    """A visitor who makes the Tomcat send more than one packet holds, again and again."""
    stop = threading.Event()

    def visit():
        while not stop.is_set():
            with contextlib.suppress(OSError):
                cluster.visitor().visit(tomcat.url("/app/session.jsp"), create=1, set="large", to="x" * 6000)
            stop.wait(0.5)
    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        yield
    finally:
        stop.set()
        visitor.join()


def members():
    """What members say and who reaches them: each has something wrong in turn, the other one never."""
    with Cluster([Settings(), Settings(frequency=2000)], hosts=2) as cluster:
        cluster.start_agents()
        good, other = cluster.tomcats
        here, there = cluster.agents
        good.start()
        other.start()
        finds(there, ["TC020"], "a heartbeat each 2 s")
        finds(here, [], "which is nothing wrong of the other host")
        other.stop()

        other.reconfigure(Settings(membership='domain="shop"'))
        other.start()
        finds(here, ["TC024"], "another domain, from one side")
        finds(there, ["TC024"], "and from the other")
        other.stop()

        other.reconfigure(Settings())
        other.start()
        cluster.wait_complete()
        finds(there, [], "mended")
        check("only the network" in text_of(there, "TC032"), "who could close the receiver's port is told")
        with dropped(other.host.namespace, "input", "tcp", "dport", "4000"):
            finds(here, ["TC026"], "a port behind a packet filter, from the other side")
            finds(there, ["TC014"], "on its own side the rule is found")
        with inside(cluster.network.middle):
            stranger = socket.create_connection((other.host.address, 4000), timeout=10)
        with stranger:
            finds(there, ["TC032"], "a stranger is connected to the receiver")
            check("10.81.2.1 is connected" in text_of(there, "TC032"), "it says who")
        finds(there, [], "until he goes")
        with (dropped(cluster.network.middle, "forward", "tcp", "dport", "4000", "meta", "length", ">", "1200"),
              large_sessions(cluster, good)):
            finds(here, ["TC044"], "a path that drops large packets: Tomcat's connection is stuck")
            check("is stuck" in text_of(here, "TC044"), "it says which")


def addresses():
    """Two hosts that gave themselves one address; then one of them loses it while its Tomcat runs."""
    twin = "10.99.9.9"
    with Cluster(hosts=3) as cluster:
        cluster.start_agents()
        for host in cluster.hosts[1:]:
            host.run("ip", "addr", "add", f"{twin}/32", "dev", "eth0")
            host.write_hosts_file(f"127.0.0.1 localhost\n{twin} {host.name}\n")
        # One of them is reached, so that nothing but the address is wrong.
        subprocess.run(["ip", "-n", cluster.network.middle, "route", "add", twin, "via", cluster.hosts[1].address],
                       check=True, capture_output=True)
        cluster.start_tomcats()
        finds(cluster.agents[0], ["TC023"], "two members on one address")
        said = text_of(cluster.agents[0], "TC023")
        check("behind peer web-2" in said and "behind peer web-3" in said, "it says where both are")
        cluster.tomcats[1].stop()
        finds(cluster.agents[2], [], "one of them, alone")
        cluster.hosts[2].run("ip", "addr", "del", f"{twin}/32", "dev", "eth0")
        finds(cluster.agents[2], ["TC021"], "an address that the host has lost")
