"""Measurements of the engine, beside a Java receiver of the same messages. None of them judges."""

import os
import pathlib
import shutil
import statistics
import subprocess
import time

from lab import CannotRun, Failed, Lab, command, eventually, program
from table import Table, span

LIBRARIES = pathlib.Path("/usr/share/tomcat10/lib")
PORT = 4000
MIB = 1 << 20


class Engine:
    def __init__(self, lab, host, store, name="engine", other=None):
        self._lab = lab
        self.directory = lab.directory / name
        self.directory.mkdir()
        self.directory.chmod(0o777)
        self._config = lab.directory / f"{name}.conf"
        self._config.write_text(f"""[engine]
listen = {host}:{PORT}
state-directory = {self.directory}/state
[sessions]
memory-limit = 8g
store = {store}
[membership]
group = none
[member "nobody"]
address = {other or host}:{PORT if other else PORT + 1}
""")
        self._log = lab.directory / f"{name}.log"
        self.start()

    def start(self):
        with self._log.open("w") as out:
            argv = [program("tribecast-engine"), "--config", str(self._config), "--user", "nobody"]
            self.process = self._lab.start("host", argv, stdout=out, stderr=out)
        eventually("tribecast-engine is ready", self._is_ready, 120)

    def wait_for(self, what, seconds=300):
        """The first line of its log with that."""
        return eventually(what, lambda: next((line for line in self._log.read_text().splitlines() if what in line), None), seconds)

    def _is_ready(self):
        if not self.process.is_running():
            raise Failed(f"tribecast-engine has ended: {self._log.read_text()}")
        return " ready: ready" in self._log.read_text()


def java_receiver(lab, host, *options):
    classes = lab.directory / "classes"
    path = f"{classes}:{LIBRARIES}/*:/usr/share/tomcat10/bin/tomcat-juli.jar"
    if not classes.exists():
        classes.mkdir()
        command("javac", "-cp", path, "-d", str(classes), str(pathlib.Path(__file__).with_name("Receiver.java")))
    with (lab.directory / "java.log").open("w") as log:
        return lab.start_ready("host", ["java", "-Xmx1g", *options, "-cp", path, "Receiver", host, str(PORT)], stderr=log)


class Load:
    """Sessions on the member at HOST, and messages for them."""

    def __init__(self, lab, host, connections, window, sessions, bytes_, seconds):
        self._process = lab.start("host", [program("bench_engine_load"), f"{host}:{PORT}", *map(str, (
            connections, window, sessions, bytes_, seconds))], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._line("created")

    def run(self):
        """(messages, seconds)"""
        print(file=self._process.stdin, flush=True)
        messages, seconds = self._line("").split()
        return int(messages), float(seconds)

    def _line(self, wanted):
        line = self._process.stdout.readline().strip()
        if not line or not line.startswith(wanted):
            raise Failed("bench_engine_load has ended")
        return line


def need():
    if not shutil.which("javac") or not LIBRARIES.exists():
        raise CannotRun("needs tomcat10 and a JDK")
    if not os.access(program("tribecast-engine"), os.X_OK):
        raise CannotRun("the engine is not built")


def receive(quick):
    need()
    bytes_, sessions = 1024, 100 if quick else 1000
    seconds, rounds = (1, 1) if quick else (4, 5)
    rows = []
    for connections, window in ((1, 1), (4, 1), (4, 32)):
        with Lab() as lab:
            lab.loopback("host")
            members = {
                "tribecast-engine, in memory": Engine(lab, "127.0.0.1", "memory").process,
                "tribecast-engine, on disk": Engine(lab, "127.0.0.2", "disk", "on-disk").process,
                "Java, kept as it came": java_receiver(lab, "127.0.0.3"),
            }
            loads = {name: Load(lab, f"127.0.0.{i}", connections, window, sessions, bytes_, seconds)
                     for i, name in enumerate(members, 1)}
            rates = {name: [] for name in members}
            costs = {name: [] for name in members}
            for load in loads.values():
                load.run()  # warm
            for _ in range(rounds):  # in turn, so that other work on the machine falls on all
                for name, process in members.items():
                    before = process.cpu_ns()
                    messages, took = loads[name].run()
                    costs[name].append((process.cpu_ns() - before) / messages / 1000)
                    rates[name].append(messages / took)
            java = statistics.median(costs["Java, kept as it came"])
            for name in members:
                cost = statistics.median(costs[name])
                rows.append([connections, window, name, span(rates[name]), span(costs[name], 1),
                             f"{1e6 / cost:.0f}", f"{cost / java:.2f}"])
    return Table("engine receives", ["connections", "window", "receiver", "messages/s", "CPU, us a message",
                                     "messages/s of one core", "of Java's CPU"], rows,
                 f"DELTA messages of one attribute of {bytes_} random bytes for {sessions} sessions, options 6, over lo; median "
                 "(least-most). A Tomcat's connection has a window of 1. Sender and receiver share the machine. The Java receiver is "
                 "a channel without a manager: it deserializes the message, keeps it, and does not look into the delta.")


def engine_memory(quick):
    need()
    rows = []
    for sessions in (1000,) if quick else (10_000, 100_000):
        with Lab() as lab:
            lab.loopback("host")
            members = {
                "tribecast-engine, in memory": Engine(lab, "127.0.0.1", "memory").process,
                "tribecast-engine, on disk": (disk := Engine(lab, "127.0.0.2", "disk", "on-disk")).process,
                "Java, kept as it came": java_receiver(lab, "127.0.0.3"),
            }
            empty = {name: process.status("VmRSS") for name, process in members.items()}
            for i in range(1, 4):
                Load(lab, f"127.0.0.{i}", 4, 32, sessions, 1024, 1)
            full = {name: process.status("VmRSS") for name, process in members.items()}
            rows += [[name, sessions, f"{empty[name] / 1024:.0f}", f"{full[name] / 1024:.0f}",
                      f"{(full[name] - empty[name]) * 1024 / sessions:.0f}"] for name in members]
            lab.stop(disk.process)
            disk.start()
            rss = disk.process.status("VmRSS")
            rows.append(["tribecast-engine, on disk, started again", sessions, "", f"{rss / 1024:.0f}", ""])
    return Table("engine memory", ["receiver", "sessions", "RSS before, MiB", "RSS, MiB", "bytes a session"], rows,
                 "VmRSS before and after sessions of one attribute of 1024 random bytes were created.")


def engine_starts(quick):
    need()
    rows = []
    for sessions in (1000,) if quick else (100_000, 1_000_000):
        with Lab() as lab:
            lab.loopback("host")
            first = Engine(lab, "127.0.0.1", "disk", other="127.0.0.2")
            Load(lab, "127.0.0.1", 4, 32, sessions, 1024, 1)
            lab.stop(first.process)
            began = time.monotonic()
            first.start()
            again = time.monotonic() - began
            began = time.monotonic()
            second = Engine(lab, "127.0.0.2", "memory", "second", other="127.0.0.1")
            second.wait_for(f"in sync, with {sessions} sessions")
            filled = time.monotonic() - began
            rows.append([sessions, f"{again:.1f}", f"{filled:.1f}", f"{sessions / filled:.0f}"])
    return Table("engine starts", ["sessions", "started again, s", "another one filled, s", "sessions/s"], rows,
                 "Sessions of one attribute of 1024 random bytes. Started again: from its start until it serves, with all sessions from "
                 "its disk. Filled: from the start of a second engine without any until it has all of the first one's.")


ALL = {"engine-starts": engine_starts, "engine-receives": receive, "engine-memory": engine_memory}
