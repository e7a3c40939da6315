"""Where the benchmarks run: network namespaces and programs that are gone afterwards, and what the
kernel counted about them."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
RELAY_CPU = 0
OTHER_CPU = 1

HOST = "10.78.0.1"
SINK = "10.78.0.2"
PEERS = "10.77.0.0/16"
FIRST_PEER = "10.77.0.1"
PORT = 45565
GROUP = "228.0.0.4:45564"
SEALED_BYTES = 155  # a heartbeat of 100 bytes, sealed

# The sink counts and drops sealed data (magic, version 1, type 4) at the port, so that both systems
# are measured with the cost of the sender's host alone; handshakes and probes pass.
SINK_RULES = f"""
table netdev bench {{
  counter copies {{}}
  chain ingress {{
    type filter hook ingress device eth0 priority 0;
    ip daddr 224.0.0.0/4 drop
    udp dport {PORT} @th,64,16 0xb714 counter name copies drop
  }}
}}
"""


# The wire between two agents carries no multicast; what is injected on it has TTL 0.
NO_MULTICAST = """
table netdev bench {
  chain ingress {
    type filter hook ingress device eth0 priority 0;
    ip daddr 224.0.0.0/4 ip ttl != 0 drop
  }
}
"""


class CannotRun(Exception):
    """Why nothing can be measured on this machine."""


class Failed(Exception):
    """A benchmark does not run as it should."""


def bin_directory():
    return pathlib.Path(os.environ.get("TRIBECAST_BIN_DIR") or TOP / "build/release/bin")


def program(name):
    path = bin_directory() / name
    if not os.access(path, os.X_OK):
        raise Failed(f"{name} is not in {bin_directory()}; build it or set TRIBECAST_BIN_DIR")
    return str(path)


def command(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, argv))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def eventually(what, predicate, seconds=30):
    end = time.monotonic() + seconds
    while not (value := predicate()):
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return value


class Process:
    """A program that runs until stop(). `fifo` keeps the machine's other work off its processor."""

    def __init__(self, argv, cpu=None, fifo=False, **options):
        prefix = ["setpriv", "--pdeathsig", "KILL"]
        if cpu is not None:
            prefix = ["taskset", "-c", str(cpu % os.cpu_count()), *prefix]
        if fifo:
            prefix = ["chrt", "-f", "10", *prefix]
        self._child = subprocess.Popen([*prefix, *argv], text=True, **options)
        self.pid = self._child.pid
        self.stdin, self.stdout = self._child.stdin, self._child.stdout

    def stop(self):
        """What it wrote to its standard output since it was last read, if that is a pipe."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.communicate(timeout=5)[0] or ""
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.communicate()[0] or ""

    def is_running(self):
        return self._child.poll() is None

    def cpu_ns(self):
        """Time on a processor of all threads, the softirqs that ran on top of them included."""
        tasks = pathlib.Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def status(self, key):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{key}:\s+(\d+)", text, re.M).group(1))


def softirq_threads():
    found = []
    for comm in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text().startswith("ksoftirqd/"):
                found.append(comm.parent / "schedstat")
        except OSError:
            continue
    return found


SOFTIRQ = softirq_threads()


def softirq_ns():
    """What the kernel's softirq threads did for everybody, in ns."""
    return sum(int(path.read_text().split()[0]) for path in SOFTIRQ)


class Lab:
    """Use as `with Lab() as lab`: namespaces and processes end with the block."""

    _count = 0

    def __init__(self):
        Lab._count += 1
        self._prefix = f"tcbench{os.getpid()}-{Lab._count}"
        self._names = []
        self._processes = []
        self.directory = None

    def __enter__(self):
        if os.geteuid() != 0:
            raise CannotRun("needs root")
        for tool in ("ip", "nft", "taskset", "chrt", "setpriv"):
            if not shutil.which(tool):
                raise CannotRun(f"needs {tool}")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tribecast-bench."))
        self.directory.chmod(0o755)
        keyring = self.directory / "keyring"
        keyring.touch(mode=0o600)
        keyring.write_text(command(program("tribecast"), "keygen"))
        return self

    def __exit__(self, *_):
        for process in reversed(self._processes):
            process.stop()
        for name in self._names:
            subprocess.run(["ip", "netns", "del", name], check=False)
        shutil.rmtree(self.directory)

    def wire(self, a, address_a, b, address_b):
        """Two namespaces, joined eth0 to eth0; addresses of a /30; neighbours that need no ARP."""
        for name in (a, b):
            command("ip", "netns", "add", self._name(name))
            self._names.append(self._name(name))
            command("ip", "-n", self._name(name), "link", "set", "lo", "up")
        command("ip", "-n", self._name(a), "link", "add", "eth0", "type", "veth",
                "peer", "name", "eth0", "netns", self._name(b))
        ends = ((a, address_a), (b, address_b))
        for name, address in ends:
            self.ip(name, "addr", "add", f"{address}/30", "dev", "eth0")
            self.ip(name, "link", "set", "eth0", "up")
            self.ip(name, "route", "add", "224.0.0.0/4", "dev", "eth0")
        for (name, _), (other, address) in zip(ends, reversed(ends)):
            link = json.loads(command("ip", "-j", "-n", self._name(other), "link", "show", "eth0"))
            self.ip(name, "neigh", "replace", address, "lladdr", link[0]["address"], "dev", "eth0",
                    "nud", "permanent")

    def loopback(self, name):
        """A host without a network."""
        command("ip", "netns", "add", self._name(name))
        self._names.append(self._name(name))
        self.ip(name, "link", "set", "lo", "up")

    def sink(self):
        """The sender's host, and behind its gateway any number of peers whose data is dropped."""
        self.wire("host", HOST, "sink", SINK)
        self.ip("host", "route", "add", PEERS, "via", SINK)
        self.ip("sink", "route", "add", "local", PEERS, "dev", "lo")
        self._filter("sink", SINK_RULES)

    def two_hosts(self, here, there):
        """Two hosts on a wire that carries no multicast."""
        self.wire("here", here, "there", there)
        for name in ("here", "there"):
            self._filter(name, NO_MULTICAST)

    def _filter(self, name, rules):
        path = self.directory / f"{name}.nft"
        path.write_text(rules)
        self.run(name, ["nft", "-f", str(path)])

    def copies(self):
        """How many sealed data datagrams have arrived at the sink."""
        text = self.run("sink", ["nft", "-j", "list", "counter", "netdev", "bench", "copies"])
        return next(entry["counter"]["packets"] for entry in json.loads(text)["nftables"]
                    if "counter" in entry)

    def ip(self, name, *words):
        command("ip", "-n", self._name(name), *words)

    def start(self, name, argv, **options):
        process = Process(["ip", "netns", "exec", self._name(name), *argv], **options)
        self._processes.append(process)
        return process

    def start_ready(self, name, argv, **options):
        """The same, for a program whose first line is `ready`."""
        process = self.start(name, argv, stdout=subprocess.PIPE, **options)
        if process.stdout.readline().strip() != "ready":
            raise Failed(f"{argv[0]} does not start")
        return process

    def stop(self, *processes):
        """What the last of them wrote."""
        written = ""
        for process in processes:
            written = process.stop()
            self._processes.remove(process)
        return written

    def run(self, name, argv):
        return command("ip", "netns", "exec", self._name(name), *argv)

    def many_peers(self, count, *extra):
        return self.start_ready("sink", [program("bench_many_peers"), str(self.directory / "keyring"),
                                         f"{HOST}:{PORT}", FIRST_PEER, str(count), *extra],
                                cpu=OTHER_CPU)

    def agent(self, name, peers, prefix=(), **options):
        """tribecastd, ready; `peers` are addresses, `prefix` the words of a command that runs it."""
        return Agent(self, name, peers, prefix, options)

    def _name(self, name):
        return f"{self._prefix}-{name}"


class Agent:
    def __init__(self, lab, name, peers, prefix, options):
        config = lab.directory / f"{name}.conf"
        self.socket = lab.directory / f"{name}.sock"
        self._log = lab.directory / f"{name}.log"
        # A user and a group that exist, as on a host where the package is installed.
        config.write_text(f"[control]\nsocket = {self.socket}\ngroup = nogroup\n"
                          f"[security]\nkeyring = {lab.directory}/keyring\n"
                          f'[group "bench"]\naddress = {GROUP}\n'
                          + "".join(f'[peer "{p}"]\naddress = {p}\n' for p in peers))
        with self._log.open("w") as out:
            argv = [*prefix, program("tribecastd"), "--config", str(config), "--user", "nobody"]
            self.process = lab.start(name, argv, stdout=out, stderr=out, **options)
        eventually("tribecastd is ready", lambda: "ready" in self.log())

    def wait(self, *what):
        command(program("tribecast"), "--socket", str(self.socket), "wait", *what,
                "--timeout", "60s")

    def log(self):
        return self._log.read_text()

    def ask(self, verb):
        """The JSON answer of a reading verb; None when there is none."""
        done = subprocess.run([program("tribecast"), "--socket", str(self.socket), "--json", verb],
                              capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.stdout else None

    def status(self):
        return self.ask("status")

    def peer(self, address):
        return next(peer for peer in self.ask("peers")["peers"] if peer["name"] == address)


def peer_addresses(count):
    """The first `count` addresses behind the gateway."""
    return [f"10.77.{i // 256}.{i % 256}" for i in range(1, count + 1)]
