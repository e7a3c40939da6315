"""The story that ./demo --restart-all tells: everything is killed at one moment, and no session is lost."""

import time

import tomcat
from cluster import Cluster, say
from engine import missing_engine
from network import Lan
from process import Failed, end_politely_on_signals
from shop import compiled_classes, fill, whole
from tomcat import Settings

SESSIONS = 500
# An acknowledgement says that the session is on the disk, so that nothing is lost even in the last 100 ms.
ON_DISK = """
[sessions]
ack = disk
"""


def main():
    missing = tomcat.missing_packages(versions=[10]) + missing_engine()
    if missing:
        say(f"missing: {', '.join(missing)}")
        return 77
    end_politely_on_signals()
    began = time.monotonic()
    try:
        with compiled_classes() as classes, \
                Cluster(Settings(send_options=6, classes=classes), hosts=3, network=Lan, agents=False,
                        extra_hosts=["store-1", "store-2"]) as cluster:
            tell(cluster)
    except (Failed, OSError) as error:
        say(f"\nThe demo failed: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted; everything is removed.")
        return 130
    say(f"\nAll of this took {time.monotonic() - began:.0f} s.")
    return 0


def tell(cluster):
    engines = [cluster.engine(host, settings=ON_DISK) for host in cluster.extra_hosts]
    say("""
1. Three Tomcats 10.1 as everyone configures them (SimpleTcpCluster, DeltaManager), and beside them two tribecast engines,
   which are members of the cluster. Nothing is installed in the Tomcats.
""")
    for engine in engines:
        engine.start()
    start_tomcats(cluster)

    say(f"\n2. {SESSIONS} visitors: strings, numbers, lists, maps, and a basket, a class that only the application has.\n")
    filled = fill(cluster, cluster.tomcats, SESSIONS)
    for name, value in sorted(filled[0][1].items()):
        say(f"   {name:8} {value}")
    check_whole(filled, cluster)

    say("\n3. kill -9 of all three Tomcats and both engines, at one moment.\n")
    for part in [*cluster.tomcats, *engines]:
        part.kill()
    say("   Nothing runs any more.")

    say("\n4. All five are started again, at one moment.\n")
    for node in cluster.tomcats:
        node.rest()
    for engine in engines:
        engine.process.start()
    start_tomcats(cluster)
    for engine in engines:
        loaded = [line for line in engine.process.log_text().splitlines() if " loaded: " in line][-1]
        say(f"   {engine.host.name}   {loaded.partition(' loaded: ')[2]}")
    check_whole(filled, cluster)


def start_tomcats(cluster):
    began = time.monotonic()
    for node in cluster.tomcats:
        node.launch()
    for node in cluster.tomcats:
        node.wait_started()
    say(f"   Three Tomcats serve, {time.monotonic() - began:.0f} s after they were started side by side.")


def check_whole(filled, cluster):
    count = whole(filled, cluster.tomcats)
    say(f"\n   {count} of {SESSIONS} sessions are whole, each read with its cookie on another node than it began on.")
    if count != SESSIONS:
        raise Failed("sessions were lost")
