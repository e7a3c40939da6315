"""The measurements. Each gives a Table; none of them judges."""

import dataclasses
import pathlib
import re
import resource
import statistics
import subprocess
import time

from lab import (FIRST_PEER, GROUP, HOST, OTHER_CPU, PORT, RELAY_CPU, SEALED_BYTES,
                 Lab, command, eventually, peer_addresses, program, softirq_ns)
from table import Table, span

TOLERATED_LOSS = 0.001
MOST_COPIES = 1500000  # a second; where the search begins


@dataclasses.dataclass
class Trial:
    sent: int
    rate: float  # heartbeats a second that were really sent
    copies: int
    cpu_ns: int

    @property
    def ns_per_copy(self):
        return self.cpu_ns / max(1, self.copies)


class FanOut:
    """One system that copies heartbeats to many destinations, on a host of its own, which the other
    system's capture cannot disturb."""

    def __init__(self, lab, peers, fifo):
        lab.sink()
        self._lab, self._peers = lab, peers
        self.process = self.start(lab, peers, {"cpu": RELAY_CPU, "fifo": fifo})
        self._beats = lab.start("host", [program("bench_beats"), HOST], cpu=OTHER_CPU, fifo=fifo,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.trial(100, 20)  # warm

    def trial(self, rate, count):
        copies, cpu = self._lab.copies(), self.process.cpu_ns() + softirq_ns()
        self._beats.stdin.write(f"{GROUP} {rate:.0f} {count}\n")
        self._beats.stdin.flush()
        sent, elapsed = self._beats.stdout.readline().split()
        arrived = self._drained(copies, int(sent) * self._peers)
        cpu = self.process.cpu_ns() + softirq_ns() - cpu
        return Trial(int(sent), int(sent) / float(elapsed), arrived, cpu)

    def idle_ns_per_second(self, seconds):
        before = self.process.cpu_ns()
        time.sleep(seconds)
        return (self.process.cpu_ns() - before) / seconds

    def _drained(self, before, expected):
        arrived, last = self._lab.copies() - before, -1
        while arrived < expected and arrived != last:
            time.sleep(0.05)
            arrived, last = self._lab.copies() - before, arrived
        return arrived


class AgentFanOut(FanOut):
    @staticmethod
    def start(lab, peers, options):
        lab.many_peers(peers)
        agent = lab.agent("host", peer_addresses(peers), **options)
        agent.wait("--peers", "all")
        return agent.process


class BareFanOut(FanOut):
    @staticmethod
    def start(lab, peers, options):
        return lab.start_ready("host", [program("bench_bare_loop"), "eth0", GROUP,
                                        f"{FIRST_PEER}:{PORT}", str(peers), str(SEALED_BYTES)],
                               **options)


def fan_out(quick):
    rows = []
    rounds, copies_per_round = (3, 3000) if quick else (15, 40000)
    for peers in (2, 16) if quick else (2, 16, 64, 256, 1000):
        with Lab() as one, Lab() as other:
            systems = AgentFanOut(one, peers, False), BareFanOut(other, peers, False)
            rate = min(20000, 120000 / peers)
            count = max(10, copies_per_round // peers)
            agent, bare = [], []
            for _ in range(rounds):
                for system, costs in zip(systems, (agent, bare)):
                    costs.append(system.trial(rate, count).ns_per_copy)
            idle = systems[0].idle_ns_per_second(0.5 if quick else 4)
        ratios = [a / b for a, b in zip(agent, bare)]
        rows.append([peers, f"{rate:.0f}", span(agent), span(bare),
                     f"{statistics.median(ratios):.2f}", f"{min(agent) / min(bare):.2f}",
                     f"{idle / 1e7:.2f} %"])
    return Table("fan-out", ["peers", "heartbeats/s", "agent, ns a copy", "bare loop, ns a copy",
                             "ratio of pairs, median", "ratio of the least", "idle: probes, of a core"],
                 rows, f"{rounds} rounds, agent and bare loop in turn; median (least-most).")


class Bisection:
    """The highest rate at which nothing is lost."""

    def __init__(self, system, peers, highest, seconds):
        self._system, self._peers = system, peers
        self._low, self._high, self._seconds = 0.0, highest, seconds
        self.best = 0.0

    def step(self):
        rate = (self._low + self._high) / 2
        for _ in range(3):
            trial = self._system.trial(rate, max(20, int(rate * self._seconds)))
            lost = 1 - trial.copies / (trial.sent * self._peers)
            if lost <= TOLERATED_LOSS:
                self._low = rate
                self.best = max(self.best, min(rate, trial.rate))
                return
            if lost > 10 * TOLERATED_LOSS:
                break  # no near miss
        self._high = rate


def loss_free(quick):
    rows = []
    rounds, steps, seconds = (1, 3, 0.05) if quick else (5, 9, 0.3)
    for peers in (2,) if quick else (2, 8, 32):
        best = {"agent": [], "bare": []}
        with Lab() as one, Lab() as other:
            systems = AgentFanOut(one, peers, True), BareFanOut(other, peers, True)
            for _ in range(rounds):
                searches = [Bisection(system, peers, MOST_COPIES / peers, seconds) for system in systems]
                for _ in range(steps):
                    for search in searches:
                        search.step()
                for name, search in zip(best, searches):
                    best[name].append(search.best)
        ratio = statistics.median(best["agent"]) / max(1, statistics.median(best["bare"]))
        rows.append([peers, span(best["agent"]), span(best["bare"]), f"{ratio:.2f}"])
    return Table("loss-free rate", ["peers", "agent, heartbeats/s", "bare loop, heartbeats/s", "ratio"],
                 rows, f"{rounds} searches each, in turn, trials of {seconds} s; at most 1 in 1000 "
                 "copies may be missing; median (least-most).")


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1000


def latency(quick):
    here, there = "10.79.0.1", "10.79.0.2"
    unicast = f"{there}:45566"
    rows = []
    with Lab() as lab:
        lab.two_hosts(here, there)
        agents = [lab.agent("here", [there], fifo=True), lab.agent("there", [here], fifo=True)]
        for rate, seconds in ((10, 1), (1000, 1)) if quick else ((10, 60), (1000, 10)):
            receiver = lab.start_ready("there", [program("bench_latency"), "receive", there, GROUP,
                                                 unicast], fifo=True)
            for agent in agents:
                agent.wait("--peers", "all")
            time.sleep(1)
            lab.run("here", ["chrt", "-f", "10", program("bench_latency"), "send", here, GROUP,
                             unicast, str(rate), str(rate * seconds)])
            time.sleep(0.2)
            samples = {"relayed": [], "direct": []}
            for line in lab.stop(receiver).splitlines():
                kind, ns = line.split()
                samples[kind].append(int(ns))
            row = [rate, len(samples["relayed"])]
            for kind in ("direct", "relayed"):
                row += [f"{quantile(samples[kind], q):.0f}" for q in (0.5, 0.99)]
            rows.append([*row, f"{float(row[4]) - float(row[2]):.0f}",
                         f"{float(row[5]) - float(row[3]):.0f}"])
    return Table("latency", ["heartbeats/s", "samples", "direct p50, us", "direct p99, us",
                             "relayed p50, us", "relayed p99, us", "added p50, us", "added p99, us"],
                 rows, "Application to application, CLOCK_MONOTONIC in the payload; a relayed and a "
                 "direct heartbeat in turn; all four programs under SCHED_FIFO.")


def micro(quick):
    text = command(program("bench_micro"), "0.02" if quick else "0.5")
    rows = [line.split("\t") for line in text.splitlines()]
    return Table("single steps", ["step", "ns"], rows,
                 "One thread, no system call; median of 15 rounds.")


def mappings(pid):
    """KiB of resident memory by what it is."""
    kinds = {"heap and stacks": 0, "programs and libraries": 0, "capture ring": 0}
    kind = None
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            name = words[5] if len(words) > 5 else ""
            kind = "programs and libraries" if name.startswith("/") else "heap and stacks"
            if name.startswith("socket:"):
                kind = "capture ring"
        elif words[0] == "Rss:":
            kinds[kind] += int(words[1])
    return kinds


def memory_row(what, agent):
    """The members are asked for last: the answer takes memory."""
    kinds = mappings(agent.process.pid)
    status = {key: agent.process.status(key) for key in ("VmRSS", "RssAnon", "RssFile", "RssShmem")}
    members = len(agent.status()["members"])
    return [what, members, f"{status['VmRSS'] / 1024:.1f}", f"{status['RssAnon'] / 1024:.1f}",
            *(f"{kib / 1024:.1f}" for kib in kinds.values())]


def memory(quick):
    peers, members = (4, 4) if quick else (64, 64)
    rows = []
    with Lab() as lab:
        lab.sink()
        alone = lab.agent("host", [], cpu=RELAY_CPU)
        time.sleep(0.5)
        rows.append(memory_row("no peer", alone))
        lab.stop(alone.process)
        receiver = lab.start_ready("host", [program("bench_latency"), "receive", HOST, GROUP,
                                            f"{HOST}:45566"])
        agent = lab.agent("host", peer_addresses(peers), cpu=RELAY_CPU)
        crowd = lab.many_peers(peers, GROUP, str(members))
        agent.wait("--peers", "all")
        time.sleep(2 if quick else 10)
        rows.append(memory_row(f"{peers} peers with {members} members each", agent))
        agent.status()
        time.sleep(2)  # until it has given back what that took
        rows.append(memory_row("the same, 2 s after a status request", agent))
        lab.stop(crowd, agent.process, receiver)
    return Table("memory", ["agent with", "members", "RSS, MiB", "of it anonymous", "heap and stacks",
                            "programs and libraries", "capture ring"], rows,
                 "VmRSS and RssAnon of /proc/PID/status; the last three columns from /proc/PID/smaps.")


def wake_ups(quick):
    seconds = 2 if quick else 20
    rows = []
    for peers in (0, 4):
        with Lab() as lab:
            lab.sink()
            if peers:
                lab.many_peers(peers)
            agent = lab.agent("host", peer_addresses(peers))
            if peers:
                agent.wait("--peers", "all")
            time.sleep(1 if quick else 5)  # the kernel's own chatter about a new link
            before = agent.process.status("voluntary_ctxt_switches")
            cpu = agent.process.cpu_ns()
            time.sleep(seconds)
            woken = agent.process.status("voluntary_ctxt_switches") - before
            cpu = agent.process.cpu_ns() - cpu
        rows.append([peers, f"{woken / seconds:.2f}", f"{cpu / seconds / 1e7:.3f} %"])
    return Table("wake-ups when idle", ["peers", "wake-ups/s", "of a core"], rows,
                 f"voluntary_ctxt_switches over {seconds} s, no member.")


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def answers(quick):
    """What `tribecast status` takes, from its start to its end, and what the agent spends on it."""
    times = 5 if quick else 200
    rows = []
    for peers, members in ((4, 4),) if quick else ((4, 4), (256, 1), (256, 16)):
        with Lab() as lab:
            lab.sink()
            receiver = lab.start_ready("host", [program("bench_latency"), "receive", HOST, GROUP,
                                                f"{HOST}:45566"])
            agent = lab.agent("host", peer_addresses(peers), fifo=True)
            crowd = lab.many_peers(peers, GROUP, str(members))
            agent.wait("--peers", "all")
            time.sleep(2)
            seen = len(agent.status()["members"])
            tool = ["chrt", "-f", "1", program("tribecast"), "--socket", str(agent.socket), "status"]
            idle = agent.process.cpu_ns()
            time.sleep(2)
            idle = (agent.process.cpu_ns() - idle) / 2e9  # seconds a second
            cpu, took, begin = agent.process.cpu_ns(), [], time.monotonic()
            tool_cpu = children_seconds()
            for _ in range(times):
                started = time.monotonic()
                command(*tool)
                took.append((time.monotonic() - started) * 1e6)  # us, as quantile() wants
            cpu = (agent.process.cpu_ns() - cpu) / 1e6 - idle * (time.monotonic() - begin) * 1e3
            tool_cpu = (children_seconds() - tool_cpu) * 1e3
            lab.stop(crowd, agent.process, receiver)
        rows.append([peers, seen, f"{quantile(took, 0.5):.1f}", f"{quantile(took, 0.99):.1f}",
                     f"{max(cpu, 0) / times:.1f}", f"{tool_cpu / times:.1f}"])
    return Table("answers", ["peers", "members", "status p50, ms", "status p99, ms",
                             "CPU of the agent, ms", "CPU of the tool, ms"], rows,
                 f"{times} runs of `tribecast status`, the start of the program included. Both run "
                 "at real-time priority, before what else keeps the machine busy.")


ALL = {
    "fan-out": fan_out,
    "latency": latency,
    "loss-free": loss_free,
    "steps": micro,
    "memory": memory,
    "wake-ups": wake_ups,
    "answers": answers,
}
