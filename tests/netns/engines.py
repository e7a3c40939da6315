"""Engines in the hosts of engines.sh, and what they must have kept of what they were told."""
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

from tribes import CREATED, DELTA, EXPIRED, PATIENCE, Link, Newcomer, Tomcat, delta, session_message, values_in

BIN, WORK, PREFIX = sys.argv[1:4]
LONG = bool(os.environ.get("TRIBECAST_LONG"))
SEED = int(os.environ.get("TRIBECAST_SEED") or random.SystemRandom().randrange(10**6))
PORT = 4000
CONFIG = """[engine]
listen = {address}:{port}
state-directory = {directory}/state
control-socket = {directory}/control/engine.sock
heal = no
[sessions]
ack = {ack}
{more}
"""


# Less of what was freed is kept, so that what grows shows; an assertion of a library shows where it was.
os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=8:handle_abort=1"


def both(ack="disk", more=""):
    return [Engine(host, address, ack, more) for host, address in (("a", "10.1.0.1"), ("b", "10.1.0.2"))]


def say(what):
    print(what, flush=True)


def check(what, ok):
    say(("ok: " if ok else "FAIL: ") + what)
    if not ok:
        raise SystemExit(1)


def figure(what):
    say("figure: " + what)


def eventually(condition, seconds=PATIENCE, every=0.05):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


class Engine:
    """tribecast-engine in one of the hosts."""

    def __init__(self, host, address, ack="disk", more="", under=()):
        """more: further lines of the configuration, at first of [sessions]; under: a command before its own."""
        self.host, self.at, self.under = host, (address, PORT), list(under)
        self.directory = f"{WORK}/engine-{host}"
        os.makedirs(self.directory + "/control", mode=0o755)
        shutil.chown(self.directory, "nobody")
        self.log = self.directory + "/log"
        with open(self.directory + "/engine.conf", "w") as config:
            config.write(CONFIG.format(address=address, port=PORT, directory=self.directory, ack=ack, more=more))
        self.process = None
        self.starts = 0

    def start(self):
        """Returns when it is ready."""
        self.starts += 1
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", f"{PREFIX}-{self.host}"] + self.under +
                [BIN + "/tribecast-engine", "--config", self.directory + "/engine.conf", "--user", "nobody"], stdout=log, stderr=log)
        if not eventually(lambda: self.count(" ready: ready") >= self.starts or self.process.poll() is not None):
            check(f"{self.host} starts", False)
        check_quietly(f"{self.host} starts", self.process.poll() is None)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """It must end well."""
        self.signal(signal.SIGTERM)
        check_quietly(f"{self.host} ends well", self.process.wait(PATIENCE) == 0)

    def count(self, what):
        with open(self.log, errors="replace") as log:
            return sum(what in line for line in log)

    def tell(self, *words):
        done = subprocess.run([BIN + "/tribecast", "--socket", self.directory + "/control/engine.sock", "--json", "engine", *words],
                              capture_output=True, text=True, timeout=2 * PATIENCE)
        return json.loads(done.stdout) if done.stdout else {}

    def agrees(self):
        """Whether its only fellow is a member and has the same."""
        return [row.get("agrees") for row in self.tell("members").get("members", []) if row["kind"] == "engine"] == [True]

    def counter(self, name):
        return next((row["count"] for row in self.tell("status").get("counters", []) if row["name"] == name), 0)

    def sessions(self, member):
        """The values of the sessions that a Tomcat is given that starts now, and all that it is sent."""
        newcomer = Newcomer(member)
        with contextlib.closing(newcomer.listener):
            given = newcomer.ask(self.at)
        return values_in(given), given

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def check_quietly(what, ok):
    if not ok:
        check(what, False)


@contextlib.contextmanager
def running(*engines):
    """Ends those that still run, and shows what they said when the test fails."""
    try:
        yield
        for engine in engines:
            check(f"the sanitizers say nothing of engine {engine.host}", not engine.count("Sanitizer") and not engine.count("runtime error"))
    except BaseException:
        for engine in engines:
            if os.path.exists(engine.log):
                say(f"--- {engine.log}")
                with open(engine.log, errors="replace") as log:
                    say("".join(log.readlines()[-100:]))
        raise
    finally:
        for engine in engines:
            if engine.process and engine.process.poll() is None:
                engine.kill()


class Cut:
    """What does not come through: from one address to a host."""

    def __init__(self, *ways):
        """ways: (from address, at host)."""
        self.ways = ways

    def __enter__(self):
        for source, host in self.ways:
            nft(host, "add table ip cut")
            nft(host, "add chain ip cut in { type filter hook input priority 0; policy accept; }")
            nft(host, f"add rule ip cut in ip saddr {source} drop")

    def __exit__(self, *_):
        for host in {host for _, host in self.ways}:
            nft(host, "delete table ip cut")


def nft(host, rule):
    subprocess.run(["ip", "netns", "exec", f"{PREFIX}-{host}", "nft", rule], check=True)


class Known:
    """Of one session: the last value that was sent, the last that somebody acknowledged, and whether it has ended."""

    def __init__(self):
        self.sent = self.acknowledged = 0
        self.end_sent = self.ended = False


class Writer:
    """Visitors of one Tomcat: sessions whose values grow, of which some log out. Each change goes to every engine at once."""
    SESSIONS = 20
    LOGOUT = 40  # one change of so many is a logout

    def __init__(self, tomcat, engines, number, rng, padding=200):
        self.tomcat, self.number, self.rng, self.padding = tomcat, number, rng, padding
        self.links = [Link(tomcat, engine.at) for engine in engines]
        self.last_ms = 0
        self.made = 0
        self.alive = []
        self.book = {}
        self.counts = {True: 0, False: 0, None: 0}
        self.ends = False
        self.thread = None

    def start(self):
        self.ends = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self):
        self.ends = True
        self.thread.join()

    def _run(self):
        while not self.ends:
            self.step()

    def step(self):
        if len(self.alive) < self.SESSIONS:
            self._create()
        elif self.rng.randrange(self.LOGOUT) == 0:
            self._end(self.rng.choice(self.alive))
        else:
            self._change(self.rng.choice(self.alive))

    def _say(self, event, session, payload=None):
        """True when one of the engines acknowledged it."""
        self.last_ms = max(self.last_ms + 1, int(time.time() * 1000))
        frame = self.tomcat.frame(session_message(event, session, payload, self.last_ms))
        written = [link.write(frame) for link in self.links]
        answers = [link.answer() if ok else None for link, ok in zip(self.links, written)]
        for i, answer in enumerate(answers):
            if answer is None:
                answers[i] = self.links[i].send(frame)
            self.counts[answers[i]] += 1
        if not any(answers):
            time.sleep(0.02)
        return any(answers)

    def _create(self):
        self.made += 1
        session = f"{self.number:02X}{self.made:030X}"
        # One of which nobody acknowledges the beginning has none: a Tomcat would be asked for it.
        if not self._say(CREATED, session):
            return
        self.book[session] = Known()
        self.alive.append(session)
        self._change(session)

    def _change(self, session):
        known = self.book[session]
        known.sent += 1
        if self._say(DELTA, session, delta(session, known.sent, self.padding)):
            known.acknowledged = known.sent

    def _end(self, session):
        self.alive.remove(session)
        self.book[session].end_sent = True
        self.book[session].ended = self._say(EXPIRED, session)


class Load:
    """Writers of several Tomcats, and what the engines must have of it."""

    def __init__(self, engines, writers=4, padding=200):
        self.engines = engines
        self.tomcats = [Tomcat("10.1.0.10"), Tomcat("10.1.0.11")]
        self.writers = [Writer(self.tomcats[i % 2], engines, i, random.Random(SEED * 100 + i), padding) for i in range(writers)]

    def start(self):
        for writer in self.writers:
            writer.start()

    def stop(self):
        for writer in self.writers:
            writer.stop()

    def total(self, answer):
        return sum(writer.counts[answer] for writer in self.writers)

    def book(self):
        return {session: known for writer in self.writers for session, known in writer.book.items()}

    def wrong(self, values, given):
        """What an engine has wrong that gives this: lines to read."""
        lines = []
        for session, known in self.book().items():
            value = values.get(session, 0)
            if known.ended and session.encode() in given:
                lines.append(f"{session} has ended, and is there with {value}")
            elif not known.end_sent and not known.acknowledged <= value <= known.sent:
                lines.append(f"{session} has {value}, acknowledged {known.acknowledged}, sent {known.sent}")
        return lines

    def judge(self, when):
        """Both engines come to have all that was acknowledged, and the same."""
        given, wrong = [], []

        def is_right():
            given[:] = [engine.sessions("10.1.0.10") for engine in self.engines]
            wrong[:] = [engine.host + ": " + line for engine, one in zip(self.engines, given) for line in self.wrong(*one)]
            return not wrong and all(values == given[0][0] for values, _ in given)

        right = eventually(is_right, every=1)
        check(f"{when}: all that was acknowledged is there" + "".join("\n  " + line for line in wrong[:5]), not wrong)
        check(f"{when}: both have the same {len(given[0][0])} sessions", right)
        check(f"{when}: and say so", eventually(lambda: all(engine.agrees() for engine in self.engines)))
