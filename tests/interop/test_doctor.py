"""What `tribecast doctor` finds about real Tomcats."""

from cluster import Cluster, check
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
