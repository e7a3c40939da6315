"""The engine as a member of replicated maps: sessions of BackupManagers, and what else Tomcats keep in maps."""

import dataclasses
import time

import tomcat as tomcats
from cluster import Cluster, check
from network import Lan
from process import eventually
from shop import compiled_classes, fill, whole
from test_engine import ON_DISK, start_at_once, trouble
from tomcat import Settings

BACKUP = Settings(manager=tomcats.BACKUP, send_options=6)
SESSIONS = 120


def backup_cluster(settings, tomcat_count=3, engine_count=1):
    return Cluster(settings, hosts=tomcat_count, network=Lan, agents=False,
                   extra_hosts=[f"engine-{number}" for number in range(1, engine_count + 1)])


def start(cluster, engines):
    for engine in engines:
        engine.start()
    cluster.start_tomcats()
    everybody = sorted(part.member for part in [*engines, *cluster.tomcats])
    for tomcat in cluster.tomcats:
        eventually(f"{tomcat.name} lists all others", lambda: tomcat.members() == [
            member for member in everybody if member != tomcat.member], timeout=30)


def backup_killed():
    """Primary and backup of sessions are killed at one moment: the third Tomcat serves them from the engine."""
    with compiled_classes() as classes, backup_cluster(dataclasses.replace(BACKUP, classes=classes)) as cluster:
        engine = cluster.engine(cluster.extra_hosts[0])
        start(cluster, [engine])
        one, two, three = cluster.tomcats
        filled = fill(cluster, cluster.tomcats, 60)
        check(trouble(cluster.tomcats) == [], "60 sessions on three Tomcats with BackupManagers and an engine, no error in their logs")
        one.kill()
        two.kill()
        eventually("the third and the engine have dropped both", lambda: three.members() == [engine.member]
                   and engine.members() == [three.member], timeout=30)
        time.sleep(1)  # the engine tells the third that it is the primary now
        count = sum(visitor.visit(three.url("/app/basket.jsp")) == said for visitor, said in filled)
        check(count == 60, f"two of three are killed at once: {count} of 60 sessions are whole on the third")
