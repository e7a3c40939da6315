"""Tomcats that missed something: deaf when they started, cut off, hung. The engine gives them what they lack."""

import contextlib
import os
import random
import signal
import threading
import time

from cluster import Cluster, check, say
from network import Lan
from process import Failed, eventually
from test_engine import no_stall, start_at_once
from tomcat import Settings

LONG = bool(os.environ.get("TRIBECAST_LONG"))
PAGE = "/app/session.jsp"
TRIBES = "{ 4000, 4100 }"  # the Tomcats' and the engine's


class Writer:
    """A visitor who keeps writing a number into his session, on one of these Tomcats after the other, and tells which was
    the last that was answered."""

    def __init__(self, cluster, tomcats):
        self.tomcats = tomcats
        self.last = None
        self.failed = 0
        self._visitor = cluster.visitor()
        self._visitor.visit(tomcats[0].url(PAGE), create=1, set="number", to=-1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def _write(self):
        number = 0
        while not self._over.wait(0.05):
            number += 1
            try:
                self._visitor.visit(self.tomcats[number % len(self.tomcats)].url(PAGE), set="number", to=number)
                self.last = {"number": str(number)}
            except OSError:
                self.failed += 1

    def seen_on(self, tomcat):
        return self._visitor.visit(tomcat.url(PAGE))


@contextlib.contextmanager
def writing(writers):
    for writer in writers:
        writer._thread.start()
    try:
        yield
    finally:
        for writer in writers:
            writer._over.set()
            writer._thread.join()


def cut(cluster, victim):
    """It hears and reaches no member, and none it; its visitors do."""
    for host in [*cluster.hosts, *cluster.extra_hosts]:
        whom = "" if host is victim.host else f"ip saddr {victim.host.address} "
        host.run("nft", "add table ip cut; add chain ip cut in { type filter hook input priority 0; }; "
                        f"add rule ip cut in {whom}udp dport 45564 drop; add rule ip cut in {whom}tcp dport {TRIBES} drop; "
                        f"add rule ip cut in {whom}tcp sport {TRIBES} drop")


def mend(cluster):
    for host in [*cluster.hosts, *cluster.extra_hosts]:
        host.run("nft", "delete table ip cut", check=False)


class Book:
    """Sessions, and what each must be in the end: attributes, or None where it was logged out."""

    def __init__(self, cluster):
        self._cluster = cluster
        self.visitors = {}
        self.expected = {}

    def write(self, name, tomcat, **values):
        if name not in self.visitors:
            self.visitors[name] = self._cluster.visitor()
            self.expected[name] = {}
        for attribute, value in values.items():
            self.visitors[name].visit(tomcat.url(PAGE), create=1, set=attribute, to=value)
            self.expected[name][attribute] = value

    def log_out(self, name, tomcat):
        self.visitors[name].visit(tomcat.url(PAGE), logout=1)
        self.expected[name] = None

    def wrong_on(self, tomcat):
        seen = {name: visitor.visit(tomcat.url(PAGE)) for name, visitor in self.visitors.items()}
        return {name: (said, self.expected[name]) for name, said in seen.items() if said != self.expected[name]}


def healed(cluster, book, writers=(), rounds=4):
    """Every session on every node. To look is to use a session, which puts its healing off: so seldom."""
    wrong = {}
    for _ in range(rounds):
        wrong = {tomcat.name: found for tomcat in cluster.tomcats if (found := book.wrong_on(tomcat))}
        late = {f"{tomcat.name}, writer {number}": (seen, writer.last) for number, writer in enumerate(writers)
                for tomcat in cluster.tomcats if (seen := writer.seen_on(tomcat)) != writer.last}
        if not wrong and not late:
            return True
        time.sleep(12)
    say(f"        wrong: {wrong} {late}")
    return False


def three(options=6, version=10):
    return Cluster(Settings(send_options=options, version=version), hosts=3, network=Lan, agents=False, extra_hosts=["engine"])


def start(cluster):
    engine = cluster.engine(cluster.extra_hosts[0])
    engine.start()
    start_at_once([], cluster.tomcats)
    eventually("the engine has all", lambda: len(engine.members()) == 3, timeout=30)
    return engine


def cut_off():
    """One node is cut off from the others, while visitors use both sides; then it is back."""
    with three() as cluster:
        engine = start(cluster)
        one, two, victim = cluster.tomcats
        book = Book(cluster)
        for number in range(30):
            book.write(f"old-{number}", cluster.tomcats[number % 3], cart="first", user=f"u{number}")
        writers = [Writer(cluster, [one, two]), Writer(cluster, [two]), Writer(cluster, [victim])]
        with writing(writers):
            cut(cluster, victim)
            began = time.monotonic()
            eventually("the engine has lost it", lambda: victim.member not in engine.members(), timeout=30)
            for number in range(10):
                book.write(f"old-{number}", one, cart="changed")
            for number in range(10, 14):
                book.write(f"old-{number}", victim, cart="changed there")
            for number in range(14, 17):
                book.log_out(f"old-{number}", two)
            book.write("old-17", one, cart="earlier")
            book.write("old-18", victim, cart="earlier there")
            time.sleep(1)
            book.write("old-17", victim, cart="later there")
            book.write("old-18", two, cart="later")
            for number in range(5):
                book.write(f"new-{number}", two, cart="new")
            book.write("new-there", victim, cart="new there")
            time.sleep(max(3, (60 if LONG else 12) - (time.monotonic() - began)))
            mend(cluster)
            eventually("it is back", lambda: victim.member in engine.members(), timeout=30)
            eventually("and is healed", lambda: engine.events("healing", victim.member) >= 1, timeout=60)
            time.sleep(10)
        time.sleep(8)
        check(healed(cluster, book, writers), f"cut off and back: {len(book.expected)} of {len(book.expected)} sessions on 3 "
              "nodes are as they were written last, those logged out are gone, and so are those under load")
        check(engine.events("took", victim.member) >= 1, "what it had alone was taken, and given to the others")


def hung():
    """One node is stopped for 14 s under load; nobody drops it, and its kernel takes what it is sent."""
    with three() as cluster:
        engine = start(cluster)
        one, two, victim = cluster.tomcats
        book = Book(cluster)
        for number in range(20):
            book.write(f"old-{number}", cluster.tomcats[number % 3], cart="first")
        writers = [Writer(cluster, [one]), Writer(cluster, [two, one])]
        with writing(writers):
            os.kill(victim.process.pid, signal.SIGSTOP)
            time.sleep(5)
            for number in range(8):
                book.write(f"old-{number}", two, cart="changed")
            for number in range(8, 11):
                book.log_out(f"old-{number}", one)
            book.write("new", one, cart="new")
            time.sleep(9)
            os.kill(victim.process.pid, signal.SIGCONT)
            time.sleep(12)
            book.write("old-11", victim, cart="after")
        time.sleep(8)
        check(healed(cluster, book, writers), f"stopped for 14 s and back: {len(book.expected)} of {len(book.expected)} sessions "
              "on 3 nodes are as they were written last, and those logged out are gone")
        say(f"  figure healed: {engine.events('healing', victim.member)} looks that gave it something")


def deaf(version=10):
    """One node starts without hearing the others, and has nothing: it asked nobody."""
    with three(version=version) as cluster:
        engine = cluster.engine(cluster.extra_hosts[0])
        engine.start()
        one, two, victim = cluster.tomcats
        start_at_once([], [one, two])
        book = Book(cluster)
        for number in range(20):
            book.write(f"old-{number}", cluster.tomcats[number % 2], cart="first")
        writers = [Writer(cluster, [one])]
        with writing(writers):
            victim.host.run("nft", "add table ip cut; add chain ip cut in { type filter hook input priority 0; }; "
                                   "add rule ip cut in udp dport 45564 drop; add rule ip cut in tcp dport 4000 drop")
            victim.start()
            book.log_out("old-0", one)
            book.write("old-1", two, cart="changed")
            book.write("alone", victim, cart="there")
            check(len(victim.sessions()) == 1, "it starts deaf, and has its own session alone")
            mend(cluster)
            eventually("it is healed", lambda: engine.events("healing", victim.member) >= 1, timeout=90)
            time.sleep(5)
        time.sleep(8)
        check(healed(cluster, book, writers), f"it hears again: {len(book.expected)} of {len(book.expected)} sessions on 3 nodes")


def cold_starts():
    """Three Tomcats that start at one moment, many times: none waits for another one's sessions."""
    times = 20 if LONG else 3
    took = []
    with three() as cluster:
        engine = cluster.engine(cluster.extra_hosts[0])
        engine.start()
        book = Book(cluster)
        for number in range(times):
            for tomcat in cluster.tomcats:
                tomcat.rest()
            began = time.monotonic()
            start_at_once([], cluster.tomcats)
            took.append(time.monotonic() - began)
            if not no_stall(cluster.tomcats):
                raise Failed(f"start {number + 1} stalled, after {took}")
            if number == 0:
                for session in range(20):
                    book.write(f"s-{session}", cluster.tomcats[session % 3], cart=str(session))
            wrong = [book.wrong_on(tomcat) for tomcat in cluster.tomcats]
            if any(wrong):
                raise Failed(f"start {number + 1}: {wrong}")
            for tomcat in cluster.tomcats:
                tomcat.kill()
        check(True, f"{times} cold starts of three: 0 stalled, 20 of 20 sessions on each node each time; "
              f"all were up after {min(took):.1f} to {max(took):.1f} s")


def consistency():
    """Option 8, 8 writers, 100 sessions, any node for each request: the engine has the value that was written last."""
    with three(options=8) as cluster:
        start(cluster)
        expected = [{} for _ in range(100)]
        visitors = [cluster.visitor() for _ in range(100)]
        over = threading.Event()
        counts = [0] * 8

        def write(number):
            pick = random.Random(number)
            while not over.is_set():
                which = pick.randrange(number, 100, 8)
                name, value = f"a{pick.randrange(3)}", str(counts[number])
                tomcat = pick.choice(cluster.tomcats) if expected[which] else cluster.tomcats[number % 3]
                visitors[which].visit(tomcat.url(PAGE), create=1, set=name, to=value)
                expected[which][name] = value
                counts[number] += 1

        threads = [threading.Thread(target=write, args=(number,), daemon=True) for number in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(60 if LONG else 15)
        over.set()
        for thread in threads:
            thread.join()
        time.sleep(5)
        used = [number for number in range(100) if expected[number]]
        differ = sum(any(visitors[number].visit(tomcat.url(PAGE)) != expected[number] for tomcat in cluster.tomcats)
                     for number in used)
        for tomcat in cluster.tomcats:
            tomcat.kill()
        one = cluster.tomcats[0]
        one.start()
        wrong = {number: (seen, expected[number]) for number in used
                 if (seen := visitors[number].visit(one.url(PAGE))) != expected[number]}
        say(f"  figure {sum(counts)} writes to {len(used)} sessions; {differ} of them were not alike on the three Tomcats")
        check(not wrong, f"a Tomcat that the engine alone filled has the last value of every attribute: {wrong or 'all right'}")
