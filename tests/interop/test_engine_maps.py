"""The engine as a member of replicated maps: sessions of BackupManagers, and what else Tomcats keep in maps."""

import dataclasses
import os
import subprocess
import time

import tomcat as tomcats
from agent import bin_directory
from cluster import Cluster, check
from network import Lan
from process import eventually
from shop import FOR_MEMBERS, compiled_classes, fill, logged_in, still_logged_in, whole
from test_engine import ON_DISK, no_alarm, start_at_once, trouble
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


def fetched():
    """The engine asks for what it is not the backup of at once, but nobody waits for that."""
    time.sleep(3)


def entries_of(engine):
    return engine.tell("status")[1]["map_entries"]


def sealed(cluster, settings):
    """These, with a key for what is on the disk."""
    ring = cluster.directory / "engine.keys"
    with open(ring, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        subprocess.run([bin_directory() / "tribecast", "keygen"], stdout=file, check=True)
    return settings + f"key-file = {ring}\n"


def shows(engine, texts):
    """How many of these texts can be read on its disk."""
    on_disk = b"".join(file.read_bytes() for file in (engine.state / "sessions").iterdir())
    return sum(text.encode() in on_disk for text in texts)


def backup_killed():
    """Primary and backup of sessions are killed at one moment: the third Tomcat serves them from the engine."""
    with compiled_classes() as classes, backup_cluster(dataclasses.replace(BACKUP, classes=classes)) as cluster:
        engine = cluster.engine(cluster.extra_hosts[0])
        start(cluster, [engine])
        one, two, three = cluster.tomcats
        filled = fill(cluster, cluster.tomcats, 60)
        check(trouble(cluster.tomcats) == [], "60 sessions on three Tomcats with BackupManagers and an engine, no error in their logs")
        check(entries_of(engine) >= 60, f"the engine says that it has them: {entries_of(engine)} entries of maps")
        fetched()
        one.kill()
        two.kill()
        eventually("the third and the engine have dropped both", lambda: three.members() == [engine.member]
                   and engine.members() == [three.member], timeout=30)
        time.sleep(1)  # the engine tells the third that it is the primary now
        count = sum(visitor.visit(three.url("/app/basket.jsp")) == said for visitor, said in filled)
        check(count == 60, f"two of three are killed at once: {count} of 60 sessions are whole on the third")


def backup_restart_all(version, engine_count):
    """Every Tomcat and every engine is killed with -9 at one moment: all sessions of BackupManagers whole."""
    with compiled_classes() as classes, backup_cluster(
            dataclasses.replace(BACKUP, classes=classes, version=version, applications=(FOR_MEMBERS,)),
            engine_count=engine_count) as cluster:
        settings = [ON_DISK, sealed(cluster, ON_DISK)]  # the second engine's disk shows nothing
        engines = [cluster.engine(host, settings=own) for host, own in zip(cluster.extra_hosts, settings)]
        start(cluster, engines)
        filled = fill(cluster, cluster.tomcats, SESSIONS)
        gone = cluster.visitor()
        gone.visit(cluster.tomcats[0].url("/app/session.jsp"), create=1)
        gone.visit(cluster.tomcats[1].url("/app/session.jsp"), logout=1)
        ann = logged_in(cluster, cluster.tomcats[2])
        count = whole(filled, cluster.tomcats)
        check(count == SESSIONS, f"{count} of {SESSIONS} sessions are whole on another Tomcat {version} than their own")
        check(trouble(cluster.tomcats) == [], "no error in their logs")
        fetched()
        for part in [*engines, *cluster.tomcats]:
            part.kill()
        ids = [visitor.session for visitor, _ in filled]
        shown = [shows(engine, ids) for engine in engines]
        check(shown == [SESSIONS, 0][:engine_count], f"ids of sessions that can be read on the engines' disks: {shown}")
        start_at_once(engines, cluster.tomcats)
        count = whole(filled, cluster.tomcats)
        check(count == SESSIONS, f"all killed with -9 and started again at one moment: {count} of {SESSIONS} sessions are whole")
        check(all(gone.visit(tomcat.url("/app/session.jsp")) is None for tomcat in cluster.tomcats),
              "the one that was logged out is gone")
        check(still_logged_in(ann, cluster.tomcats), "who was logged in still is, on every Tomcat")
        check(no_alarm(engines), "no alarm")


def backup_rolling():
    """Tomcats and the engine killed and started again, one after another: no session is lost."""
    with compiled_classes() as classes, backup_cluster(dataclasses.replace(BACKUP, classes=classes)) as cluster:
        engine = cluster.engine(cluster.extra_hosts[0])
        start(cluster, [engine])
        filled = fill(cluster, cluster.tomcats, SESSIONS)
        fetched()
        for part in [cluster.tomcats[0], engine, cluster.tomcats[1], cluster.tomcats[2]]:
            part.kill()
            others = sorted(other.member for other in [*cluster.tomcats, engine] if other is not part)
            rest = [tomcat for tomcat in cluster.tomcats if tomcat is not part]
            eventually("the others have dropped it", lambda: all(
                tomcat.members() == [other for other in others if other != tomcat.member] for tomcat in rest), timeout=30)
            part.start()
            eventually("all are members again", lambda: all(
                len(tomcat.members()) == 3 for tomcat in cluster.tomcats) and len(engine.members()) == 3, timeout=30)
            time.sleep(6)  # a Tomcat's maps look for each other every 5 s
        count = whole(filled, cluster.tomcats)
        check(count == SESSIONS, f"each killed with -9 and started again: {count} of {SESSIONS} sessions are whole")
        code, report = engine.tell("verify")
        found = {(context["outcome"], context["here"], context["there"])
                 for member in report["members"] for context in member["contexts"]}
        check(code == 0 and len(report["members"]) == 3 and found == {("same", SESSIONS, SESSIONS)},
              f"verify: every Tomcat knows of every session: {found}")


def context_restart_all():
    """An attribute of a ReplicatedContext outlives all Tomcats and the engine."""
    with backup_cluster(Settings(context=tomcats.REPLICATED_CONTEXT), tomcat_count=2) as cluster:
        engine = cluster.engine(cluster.extra_hosts[0])
        start(cluster, [engine])
        one, two = cluster.tomcats
        one.node("?share=motto&to=fair")
        eventually("the other has it", lambda: two.node().get("shared.motto") == ["fair"])
        fetched()
        for part in [engine, one, two]:
            part.kill()
        start_at_once([engine], cluster.tomcats)
        for tomcat in cluster.tomcats:
            eventually(f"{tomcat.name} has it", lambda: tomcat.node().get("shared.motto") == ["fair"], timeout=20)
        check(True, "all killed with -9 and started again: both have the application's attribute")


def backup_time_out():
    """Sessions that nobody uses end, though the engine has made itself a backup of them: after twice their time-out at the latest."""
    time_out, step = 8, 0.5
    with backup_cluster(BACKUP, tomcat_count=2) as cluster:
        engine = cluster.engine(cluster.extra_hosts[0])
        start(cluster, [engine])
        one, _ = cluster.tomcats
        for _ in range(6):
            cluster.visitor().visit(one.url("/app/session.jsp"), create=1, timeout=time_out)
        began = time.monotonic()
        lived, left = [], len(one.sessions())
        while left and time.monotonic() < began + 4 * time_out:
            time.sleep(step)
            ended = left - len(one.sessions())
            lived += ended * [time.monotonic() - began]
            left -= ended
        text = ", ".join(f"{seconds:.0f}" for seconds in lived)
        check(left == 0 and time_out - 2 <= lived[0] and lived[-1] <= 2 * time_out + 6,
              f"6 sessions with a time-out of {time_out} s ended after {text} s")
        eventually("the engine has none of them any more", lambda: entries_of(engine) == 0, timeout=20)
