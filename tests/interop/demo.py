"""The story that ./demo tells; see there."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import agent
import demo_restart
import tomcat
from cluster import Cluster, say
from network import namespaces, remove_namespace
from process import Failed, end_politely_on_signals, eventually
from tomcat import Settings

PREFIX = "tcdemo"
DIRECTORY = pathlib.Path("/run/tribecast-demo")
PAGE = "/app/session.jsp"


def main(words):
    if words == ["--down"]:
        return down()
    if words == ["--restart-all"]:
        return demo_restart.main()
    if namespaces(f"{PREFIX}-") or DIRECTORY.exists():
        say("A demo is up, or was left behind. First: sudo ./demo --down")
        return 1
    missing = tomcat.missing_packages(versions=[10]) + agent.missing_programs()
    if missing:
        say(f"missing: {', '.join(missing)}")
        return 77
    end_politely_on_signals()
    return show(keep=words == ["--keep"])


def show(keep):
    began = time.monotonic()
    try:
        with Cluster(Settings(send_options=8), prefix=PREFIX, directory=DIRECTORY, outlives_harness=keep) as cluster:
            without_agents(cluster)
            with_agents(cluster)
            visitor = a_session(cluster)
            one_dies(cluster, visitor)
            one_returns(cluster, visitor)
            say(f"\nAll of this took {time.monotonic() - began:.0f} s.")
            if keep:
                explain(cluster)
    except (Failed, OSError) as error:
        say(f"\nThe demo failed: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted; everything is removed.")
        return 130
    return 0


def without_agents(cluster):
    say("""
Three hosts, each in a network of its own; a router between them forwards unicast and no multicast, as in a cloud:
""")
    for host in cluster.hosts:
        say(f"    {host.name}   {host.address}/24")
    say("""
1. On each a Tomcat 10.1, configured as everyone does: SimpleTcpCluster, DeltaManager, 228.0.0.4:45564,
   a heartbeat each 500 ms. No agent yet.
""")
    for node in cluster.tomcats:
        node.launch()
    for node in cluster.tomcats:
        node.wait_started()
    time.sleep(3)
    show_members(cluster)
    if any(cluster.members().values()):
        raise Failed("Tomcats see each other without agents: this network carries multicast")
    say("\n   Each is alone: multicast does not pass the router.")


def with_agents(cluster):
    say("\n2. Now an agent beside each Tomcat, all with the same configuration file. The Tomcats are not touched.\n")
    began = time.monotonic()
    for part in cluster.agents:
        part.start()
    cluster.wait_complete()
    seconds = time.monotonic() - began
    show_members(cluster)
    say(f"\n   One cluster of three, {seconds:.1f} s after the first agent was started.")
    for part in cluster.agents:
        part.wait_for_peers()
    time.sleep(2)  # the rates below are means over the last seconds
    for verb in ("status", "members"):
        say(f"\n   web-1$ tribecast {verb}\n")
        say(indented(cluster.agents[0].text(verb)))


def a_session(cluster):
    say("\n3. A visitor logs in on web-1, then puts something into the cart.\n")
    visitor = cluster.visitor()
    first = cluster.tomcats[0]
    visitor.visit(first.url(PAGE), create=1)
    # Option 8 sends "created" and "changed" of one request side by side; in a later request nothing can overtake.
    eventually("the session is everywhere", lambda: all(node.holds(visitor.session) for node in cluster.tomcats))
    visitor.visit(first.url(PAGE), set="cart", to="a book")
    for node in cluster.tomcats[1:]:
        read(visitor, node)
    return visitor


def one_dies(cluster, visitor):
    first, *others = cluster.tomcats
    say("\n4. kill -9 of the Tomcat on web-1.\n")
    first.kill()
    began = time.monotonic()
    for node in others:
        read(visitor, node)
    cluster.wait_complete()
    say(f"   web-2 and web-3 have dropped it after {time.monotonic() - began:.1f} s (the drop time is 3 s):\n")
    show_members(cluster)


def one_returns(cluster, visitor):
    first = cluster.tomcats[0]
    say("\n5. The Tomcat on web-1 is started again.\n")
    first.start()
    cluster.wait_complete()
    show_members(cluster)
    if first.state_transfers() != 1:
        raise Failed("web-1 was not given the sessions of the others")
    say("\n   While it started the others gave it all their sessions:\n")
    read(visitor, first)


def show_members(cluster):
    for name, members in cluster.members().items():
        say(f"   Tomcat on {name} sees   {', '.join(members) or 'nobody'}")


def read(visitor, node):
    eventually(f"the cart on {node.name}", lambda: visitor.visit(node.url(PAGE)) == {"cart": "a book"})
    say(f"   {node.name} knows the session {visitor.session[:8]}... and its cart: a book")


def indented(text):
    return "".join(f"   | {line}\n" for line in text.splitlines()).rstrip("\n")


def explain(cluster):
    first = cluster.tomcats[0]
    on = f"sudo ip netns exec {first.host.namespace}"
    tool = f"{on} {agent.bin_directory()}/tribecast --socket {cluster.agents[0].socket}"
    say(f"""
Everything is still up. To try, here on web-1 (web-2 and web-3 likewise):

    {tool} status
    {tool} members
    {tool} watch
    {on} curl {first.url('/app/node.jsp')}
    {on} curl '{first.url(PAGE)}?create=1&set=cart&to=pen'
    {on} tail -f {first.process.log}
    sudo kill -9 {first.process.pid}      # the Tomcat on web-1
    sudo kill {cluster.agents[0].process.pid}         # its agent

To remove everything: sudo ./demo --down""")


def down():
    for namespace in namespaces(f"{PREFIX}-"):
        for pid in subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True).stdout.split():
            if runs_from_directory(pid):
                os.kill(int(pid), signal.SIGKILL)
        remove_namespace(namespace)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    say("The demo is down.")
    return 0


def runs_from_directory(pid):
    """Only what the demo started is ended, not a shell that somebody opened in the namespace."""
    try:
        return str(DIRECTORY).encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
