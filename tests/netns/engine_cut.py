"""Engines that hang, that are cut off from each other and from Tomcats in every way, and one that wakes on an old disk."""
import os
import shutil
import signal
import time

from engines import LONG, SEED, Cut, Load, Writer, both, check, check_quietly, eventually, figure, running, say
from tribes import Link

A, B, TOMCATS = "10.1.0.1", "10.1.0.2", ("10.1.0.10", "10.1.0.11")
SECONDS = 20 if LONG else 5
QUICK = "[membership]\ndrop-time = 1s"
SHAPES = {
    "the engines from each other": [(A, "b"), (B, "a")],
    "engine a is not heard by b": [(A, "b")],
    "engine b is not heard by a": [(B, "a")],
    "the Tomcats from engine a": [(source, "a") for source in TOMCATS] + [(A, "m")],
    "engine b's answers to the Tomcats": [(B, "m")],
    "what one Tomcat says to b, and the other to a": [(TOMCATS[0], "b"), (TOMCATS[1], "a")],
    "engine a from everybody": [(source, "a") for source in TOMCATS + (B,)] + [(A, "b"), (A, "m")],
}


def under_load(load, fault):
    """Sessions are written before, during and after it."""
    load.start()
    time.sleep(1)
    with fault:
        before = load.total(True)
        time.sleep(SECONDS)
        check_quietly("somebody acknowledges meanwhile", eventually(lambda: load.total(True) > before))
        during = load.total(True) - before
    time.sleep(1)
    load.stop()
    return during


class Hung:
    """A process that stands still."""

    def __init__(self, engine):
        self.engine = engine

    def __enter__(self):
        self.engine.signal(signal.SIGSTOP)

    def __exit__(self, *_):
        self.engine.signal(signal.SIGCONT)


def hung_and_cut_off():
    engines = both(more=QUICK)
    with running(*engines):
        for engine in engines:
            engine.start()
        load = Load(engines)
        faults = [(f"engine {engine.host} hangs", Hung(engine)) for engine in engines]
        faults += [("cut: " + what, Cut(*ways)) for what, ways in SHAPES.items()]
        for what, fault in faults:
            during = under_load(load, fault)
            figure(f"{what} for {SECONDS} s: {during} messages acknowledged meanwhile")
            if LONG:
                load.judge(what)
        noticed = sum(engine.count(" member_lost: ") + engine.count(" silent: ") for engine in engines)
        check(f"the engines noticed it: {noticed} times", noticed >= len(faults))
        load.judge("after all that")
        differing = engines[0].tell("verify")
        others = [row["outcome"] for row in differing["members"] if row["kind"] == "engine"]
        check("`engine verify` says so as well", others == ["same"])
        figure(f"{load.total(True)} acknowledged in all, {load.total(None)} without an answer")
        for engine in engines:
            engine.stop()
    end(engines, load)


def old_disk():
    """The state directory of an hour ago is put back, while the other engine lives."""
    engines = both()
    a = engines[0]
    with running(*engines):
        for engine in engines:
            engine.start()
        load = Load(engines)
        load.start()
        time.sleep(3)
        load.stop()
        load.judge("before the copy")
        a.stop()
        state, old = a.directory + "/state", a.directory + "/old"
        shutil.copytree(state, old)
        then = {session: (known.sent, known.end_sent) for session, known in load.book().items()}
        a.start()
        for writer in load.writers:
            writer.LOGOUT = 8
        load.start()
        time.sleep(3)
        a.stop()
        time.sleep(1)  # some of it engine b alone is told
        load.stop()
        shutil.rmtree(state)
        os.rename(old, state)
        for root, directories, files in os.walk(state):
            for name in [root] + [os.path.join(root, name) for name in files]:
                shutil.chown(name, "nobody")
        a.start()
        now = load.book()
        ended = sum(known.ended and not then[session][1] for session, known in now.items() if session in then)
        changed = sum(known.sent > then[session][0] for session, known in now.items() if session in then and not known.end_sent)
        figure(f"old disk: {ended} sessions had ended since, {changed} had other values, {len(now) - len(then)} were new")
        check("the disk is an old one", ended > 0 and changed > 0)
        load.judge("with an old disk")
        for engine in engines:
            engine.stop()
    end(engines, load)


def end(engines, load):
    for engine in engines:
        shutil.rmtree(engine.directory)
    for tomcat in load.tomcats:
        tomcat.leave()


say(f"TRIBECAST_SEED={SEED}")
Link.TIMEOUT = 1  # what a Tomcat waits 3 s for
hung_and_cut_off()
old_disk()
