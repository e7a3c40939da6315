"""The cases of `run`. Each prints its figures and raises Failed for what must hold on any machine."""

import contextlib
import os
import pathlib
import shutil
import struct
import subprocess
import time

import control_crowd
from lab import (GROUP, HOST, OTHER_CPU, PORT, RELAY_CPU, CannotRun, Failed, Lab, eventually,
                 peer_addresses, program)

LONG = bool(os.environ.get("TRIBECAST_LONG"))
HERE, THERE = "10.79.0.1", "10.79.0.2"
BEATS_A_SECOND = 100


def figure(text):
    print(f"figure: {text}, load average {os.getloadavg()[0]:.1f}", flush=True)


def check(holds, text):
    if not holds:
        raise Failed(text)
    print(f"  ok    {text}", flush=True)


def needs(tool):
    if not shutil.which(tool):
        raise CannotRun(f"needs {tool}")


def group_of(agent):
    return agent.ask("groups")["groups"][0]


def milliseconds(value):
    return "?" if value is None else f"{value * 1000:.2f}"


class TwoHosts:
    """Two agents on a wire without multicast; an application beats here, another one listens there."""

    def __init__(self, lab):
        lab.two_hosts(HERE, THERE)
        self.lab = lab
        self.here = lab.agent("here", [THERE], cpu=OTHER_CPU)
        self.there = lab.agent("there", [HERE], cpu=RELAY_CPU)
        self.listener = lab.start_ready("there", [program("bench_latency"), "receive", THERE, GROUP, f"{THERE}:45566"])
        self._beats = lab.start("here", [program("bench_beats"), HERE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for agent in (self.here, self.there):
            agent.wait("--peers", "all")
        eventually("the listener is seen", self._heard)

    def _heard(self):
        self.beat(10, 0.1)
        self.beaten()
        return group_of(self.there)["injected"] > 0

    def beat(self, rate, seconds):
        """Begins to send; beaten() says how many it were."""
        self._beats.stdin.write(f"{GROUP} {rate} {max(1, int(rate * seconds))}\n")
        self._beats.stdin.flush()

    def beaten(self):
        return int(self._beats.stdout.readline().split()[0])

    def counters(self):
        there = self.there.ask("status")
        return {"captured": group_of(self.here)["captured"], "received": group_of(self.there)["received"],
                "injected": group_of(self.there)["injected"], "drops": there["drops"],
                "lines": self.there.log().count("\n"), "cpu_ns": self.there.process.cpu_ns(), "time": time.monotonic()}


def samples(hosts, path):
    """Genuine datagrams of every kind that is on the wire now, as whoever listens there sees them."""
    needs("tcpdump")
    lab = hosts.lab
    dump = lab.directory / "samples.pcap"
    sniffer = lab.start("here", ["tcpdump", "-Z", "root", "-U", "-c", "12", "-w", str(dump), "-i", "eth0", "--immediate-mode",
                                 f"udp and dst host {THERE} and dst port {PORT}"], stderr=subprocess.DEVNULL)
    hosts.beat(4, 3)
    hosts.beaten()
    time.sleep(0.5)
    lab.stop(sniffer)
    raw, at, found = dump.read_bytes(), 24, []
    while at < len(raw):
        size, = struct.unpack_from("<I", raw, at + 8)
        found.append(raw[at + 16 + 42:at + 16 + size])
        at += 16 + size
    kinds = {datagram[1] for datagram in found}
    if kinds < {0x13, 0x14}:
        raise Failed(f"only the kinds {sorted(kinds)} were seen on the wire")
    path.write_text("".join(f"{datagram.hex()}\n" for datagram in found))


def flood():
    """Forged datagrams in a peer's name, as expensive as a stranger can make them, beside 100 heartbeats a second."""
    seconds = 60 if LONG else 4
    with Lab() as lab:
        hosts = TwoHosts(lab)
        sampled = lab.directory / "samples"
        samples(hosts, sampled)
        for rate in (10000, 100000):
            before = hosts.counters()
            hosts.beat(BEATS_A_SECOND, seconds)
            flooder = lab.start("here", [program("judgement_flood"), f"{THERE}:{PORT}", str(rate), str(seconds), str(sampled)],
                                cpu=OTHER_CPU, stdout=subprocess.PIPE)
            forged, took = flooder.stdout.readline().split()
            during = hosts.counters()
            sent = hosts.beaten()
            time.sleep(0.5)
            after = hosts.counters()
            grown = {reason: after["drops"][reason] - before["drops"][reason] for reason in after["drops"]}
            refused = grown["forged"] + grown["malformed"] + grown["replayed"]
            captured = after["captured"] - before["captured"]
            injected = after["injected"] - before["injected"]
            share = (during["cpu_ns"] - before["cpu_ns"]) / (during["time"] - before["time"]) / 1e9
            lines = after["lines"] - before["lines"]
            forged = int(forged)
            accepted = max(0, after["received"] - before["received"] - captured)
            figure(f"flood of {forged / float(took):.0f} forged/s for {float(took):.0f} s: {accepted} accepted, {captured - injected} of "
                   f"{captured} heartbeats lost, {share * 100:.1f} % of a core "
                   f"({(during['cpu_ns'] - before['cpu_ns']) / max(1, refused) / 1000:.1f} us each), {refused} refused one by "
                   f"one, {forged - refused} by the kernel's full buffer, {lines} log lines")
            check(accepted == 0 and injected <= captured, "nothing forged is accepted")
            check(sent > 0 and injected > 0, "heartbeats go on")
            check(0 < refused <= forged, "what was read is counted")
            check(lines <= seconds + 5, "the log is not flooded")
            eventually("the peer is up afterwards", lambda: hosts.there.peer(HERE)["state"] in ("up", "lossy"))


def crowd():
    """64 peers with 8 members each, 1024 heartbeats a second in; and with 64 each, for docs/scale.md."""
    for members in (8, 64):
        crowd_of(64, members, 60 if LONG else 5)


def crowd_of(peers, members, seconds):
    with Lab() as lab:
        lab.sink()
        listener = lab.start_ready("host", [program("bench_latency"), "receive", HOST, GROUP, f"{HOST}:45566"])
        agent = lab.agent("host", peer_addresses(peers), cpu=RELAY_CPU)
        lab.many_peers(peers, GROUP, str(members))
        agent.wait("--peers", "all")
        time.sleep(3)
        resident = agent.process.status("VmRSS")  # an answer about all members takes memory
        before, began = group_of(agent), time.monotonic()
        cpu = agent.process.cpu_ns()
        time.sleep(seconds)
        cpu, took = agent.process.cpu_ns() - cpu, time.monotonic() - began
        after = group_of(agent)
        received = after["received"] - before["received"]
        injected = after["injected"] - before["injected"]
        latency = agent.ask("status")["latency_seconds"]
        figure(f"crowd: {peers} peers, {peers * members} members, {received / took:.0f} heartbeats/s in: {received - injected} of "
               f"{received} not injected, {cpu / took / 1e7:.1f} % of a core, {cpu / max(1, received) / 1000:.1f} us each, latency "
               f"p50 {milliseconds(latency['p50'])} p99 {milliseconds(latency['p99'])} ms, RSS {resident / 1024:.1f} MiB")
        check(received > 0 and abs(received - injected) <= received / 100, "what comes is injected")
        check(len(agent.ask("members")["members"]) == peers * members, "all members are listed")
        check(all(peer["state"] in ("up", "lossy") for peer in agent.ask("peers")["peers"] if peer["state"] != "self"),
              "all peers are up")
        lab.stop(listener)


def control_abuse():
    """200 clients of the control socket, readers that never read, lines of 1 MB: the relay does not notice."""
    seconds = 30 if LONG else 5
    with Lab() as lab:
        hosts = TwoHosts(lab)

        def relayed(under):
            before = hosts.counters()
            with under:
                hosts.beat(BEATS_A_SECOND, seconds)
                hosts.beaten()
                time.sleep(0.3)
            eventually("the agent answers", lambda: hosts.there.ask("groups"))
            after = hosts.counters()
            latency = hosts.there.ask("status")["latency_seconds"]["p99"]
            return after["captured"] - before["captured"], after["injected"] - before["injected"], latency

        quiet = relayed(contextlib.nullcontext())
        disturbed = relayed(control_crowd.abusing(hosts.there.socket))
        figure(f"control socket, 200 clients, slow readers, 1 MB lines: {disturbed[0] - disturbed[1]} of {disturbed[0]} heartbeats "
               f"lost ({quiet[0] - quiet[1]} of {quiet[0]} before), latency p99 of the last minute {milliseconds(disturbed[2])} ms "
               f"({milliseconds(quiet[2])} ms before)")
        check(0 < disturbed[0] == disturbed[1], "every heartbeat is relayed meanwhile")


def limits():
    """A process limit of 64 descriptors beside 64 peers with 64 members each."""
    needs("prlimit")
    with Lab() as lab:
        lab.sink()
        listener = lab.start_ready("host", [program("bench_latency"), "receive", HOST, GROUP, f"{HOST}:45566"])
        agent = lab.agent("host", peer_addresses(64), prefix=["prlimit", "--nofile=64:64"], cpu=RELAY_CPU)
        sixty_four = lab.many_peers(64, GROUP, "64")
        agent.wait("--peers", "all")
        time.sleep(5)
        resident = agent.process.status("VmRSS")  # the answers below take memory
        eventually("all members are there", lambda: len(agent.ask("members")["members"]) == 64 * 64, 60)
        before = group_of(agent)
        with control_crowd.abusing(agent.socket):
            time.sleep(3)
        after = eventually("the agent answers afterwards", lambda: agent.ask("groups"))["groups"][0]
        descriptors = len(list(pathlib.Path(f"/proc/{agent.process.pid}/fd").iterdir()))
        figure(f"limits: 64 peers with 64 members each, 64 descriptors: RSS {resident / 1024:.1f} MiB (most, with "
               f"answers about all members, {agent.process.status('VmHWM') / 1024:.1f}), {descriptors} descriptors open, "
               f"{after['injected'] - before['injected']} heartbeats injected under 200 clients")
        check(after["injected"] > before["injected"], "it relays without a free descriptor")
        check(descriptors <= 64, "and stays below its limit")
        lab.stop(sixty_four, listener)


ALL = {
    "flood": flood,
    "crowd": crowd,
    "control-abuse": control_abuse,
    "limits": limits,
}
