"""vpcsim itself: what a cloud carries between real kernels, and what not."""

import socket
import subprocess
import time

import vpc
from network import inside, own_prefix
from process import eventually
from rig import check, figure

PORT = 7000
GROUP = "228.0.0.4"


class Probe:
    """UDP between two hosts, from sockets of this program in their namespaces."""

    def __init__(self, net):
        self.net = net
        self.hosts = {host.name: host for host in net.hosts}
        self.receivers = {}
        for name, host in self.hosts.items():
            with inside(host.namespace):
                receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                receiver.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
                receiver.bind(("", PORT))
                member = socket.inet_aton(GROUP) + socket.inet_aton(host.address)
                receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            receiver.setblocking(False)
            self.receivers[name] = receiver

    def close(self):
        for receiver in self.receivers.values():
            receiver.close()

    def send(self, host_name, to, count=1, size=100, port=PORT):
        with inside(self.hosts[host_name].namespace):
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
            for number in range(count):
                sender.sendto(number.to_bytes(4, "big") + bytes(size - 4), (to, port))

    def spoof(self, host_name, source, to):
        """One UDP packet with somebody else's source address."""
        payload = b"spoofed!"
        udp = PORT.to_bytes(2, "big") * 2 + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload
        header = b"\x45\0\0\0\0\0\0\0\x40\x11\0\0" + socket.inet_aton(source) + socket.inet_aton(to)
        with inside(self.hosts[host_name].namespace):
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        with raw:
            raw.sendto(header + udp, (to, 0))

    def arrived(self, host_name):
        """The numbers of what has come to a host, once nothing is on its way."""
        eventually("everything has arrived", lambda: self.net.counters()["delayed"] == 0, timeout=20)
        time.sleep(0.2)
        numbers = []
        while True:
            try:
                numbers.append(int.from_bytes(self.receivers[host_name].recv(65535)[:4], "big"))
            except BlockingIOError:
                return numbers

    def passes(self, origin, receiver, size=100):
        self.send(origin, self.hosts[receiver].address, size=size)
        return len(self.arrived(receiver)) == 1


class Cloud:
    """Three hosts without agents."""

    def __init__(self, seed, tap=None):
        self.net = vpc.VpcNetwork(own_prefix(), ["a", "b", "c"], seed=seed, tap=tap)
        self.probe = Probe(self.net)

    def __enter__(self):
        return self.net, self.probe

    def __exit__(self, *_):
        self.probe.close()
        check(self.net.remove() == 0, "vpcsim ends as it should")


def ping(host, to, count=3):
    """How many answers came."""
    text = host.run("ping", "-n", "-q", "-c", count, "-i", 0.2, "-W", 1, to, check=False).stdout
    return int(text.split(" received")[0].split(", ")[-1])


def carried(seed):
    """Unicast passes; multicast, broadcast, forged sources and unknown destinations do not."""
    with Cloud(seed) as (net, probe):
        a, b, _ = net.hosts
        check(ping(a, b.address) == 3 and ping(b, a.address) == 3, "ping, both ways")
        check(probe.passes("a", "b") and probe.passes("b", "a"), "UDP, both ways")
        before = net.dropped("a")
        probe.send("a", GROUP, count=10)
        probe.send("a", "255.255.255.255", count=10)
        probe.send("a", "10.83.0.255", count=10)
        for _ in range(10):
            probe.spoof("a", "10.83.0.3", b.address)
        probe.send("a", "10.83.0.77", count=10)
        heard = [number for name in "bc" for number in probe.arrived(name)]
        after = net.dropped("a")
        counted = {reason: after[reason] - before[reason] for reason in after}
        figure(f"cloud semantics: of 50 packets that a cloud does not carry {len(heard)} arrive; dropped {counted}, "
               f"seed {seed}")
        check(not heard, "nothing of it arrives anywhere")
        check(counted["multicast"] == 10, "multicast is counted")
        check(counted["broadcast"] == 20, "broadcast is counted, of the subnet and of all")
        check(counted["spoofed"] == 10, "a forged source is counted")
        check(counted["unknown_destination"] == 10, "an unknown destination is counted")


def obeys(seed):
    """Rules, partition and the MTU hole, changed while it runs."""
    with Cloud(seed) as (net, probe):
        a, b, c = net.hosts
        net.deny("a->b", "udp", PORT)
        check(not probe.passes("a", "b") and probe.passes("b", "a"), "a port is denied one way")
        check(probe.passes("a", "c") and ping(a, b.address, 1) == 1, "that port alone, to that host alone")
        net.allow("a->b", "udp", PORT)
        check(probe.passes("a", "b"), "and allowed again")
        net.partition(["a", "b"], ["c"])
        check(probe.passes("a", "b") and not probe.passes("a", "c") and not probe.passes("c", "b"), "partition")
        check(ping(c, a.address, 1) == 0, "nothing passes it")
        net.heal()
        check(probe.passes("a", "c") and probe.passes("c", "b"), "heal")
        net.set("a->b", mtu=1300)
        check(probe.passes("a", "b", size=1272) and not probe.passes("a", "b", size=1273), "a hole from 1301 bytes on")
        check(probe.passes("b", "a", size=1400), "in one direction")
        mistakes = ("set a->b los=1", "set a->d loss=1", "partition a | x", "stop")
        refusals = [refusal(net, command) for command in mistakes]
        check(all(refusals) and "did you mean 'loss'" in refusals[0], "a mistake is refused with what would be right")
        ctl = subprocess.run([vpc.program(), "ctl", net.vpcsim.socket, "set", "*", "loss=101"], capture_output=True,
                             text=True)
        check(ctl.returncode == 1 and "percentage" in ctl.stderr, "vpcsim ctl says so too")
        dropped = net.pair("a->b")["dropped"]
        figure(f"rules, partition and MTU hole obeyed; a->b dropped {dropped['rule']} by rule, {dropped['mtu']} by "
               f"size, seed {seed}")
        check(dropped["rule"] == 1 and dropped["mtu"] == 1, "each drop is counted under its reason")


def refusal(net, command):
    try:
        net.vpcsim.tell(command)
    except vpc.Refused as error:
        return str(error)
    return ""


def impaired(seed):
    """Shares as they were set, and the same ones with the same seed."""
    runs = []
    for _ in range(2):
        with Cloud(seed) as (net, probe):
            net.set("a->b", loss=30, duplicate=10, corrupt=5)
            probe.send("a", net.hosts[1].address, count=2000)
            runs.append((probe.arrived("b"), net.pair("a->b")))
            net.set("a->c", delay="50ms", jitter="0-100ms", reorder=25)
            probe.send("a", net.hosts[2].address, count=500)
            late = probe.arrived("c")
    numbers, pair = runs[0]
    lost, twice = pair["dropped"]["loss"], pair["duplicated"]
    figure(f"2000 packets at loss 30 %, duplicate 10 %, corrupt 5 %: {lost} lost, {twice} twice, {pair['corrupted']} "
           f"corrupted, {len(numbers)} received, seed {seed}")
    check(runs[0] == runs[1], "a second run with the seed is the same, packet by packet")
    check(500 < lost < 700 and 95 < twice < 190 and 35 < pair["corrupted"] < 110, "the shares are kept")
    check(pair["received"] == 2000 and pair["delivered"] == 2000 - lost + twice, "every packet is accounted for")
    check(len(numbers) < pair["delivered"], "a kernel drops what is corrupted")
    check(sorted(late) == list(range(500)) and late != sorted(late), "jitter and reordering change the order alone")


def tapped(seed, directory):
    """The tap file holds what was delivered."""
    path = directory / "tap.pcap"
    with Cloud(seed, tap=path) as (net, probe):
        probe.send("a", net.hosts[1].address, count=25)
        probe.send("a", GROUP, count=5)
        probe.arrived("b")
        read = subprocess.run(["tcpdump", "-n", "-r", path, "udp"], capture_output=True, text=True)
        lines = read.stdout.splitlines()
    figure(f"tap: {len(lines)} of 25 delivered packets, seed {seed}")
    check(len(lines) == 25 and "RAW" in read.stderr, "each packet is in it, as raw IP")


def load(seed, rate=10_000, count=20_000, size=155):
    """A generator at a steady rate; nothing is lost."""
    with Cloud(seed) as (net, _):
        a, b, _ = net.hosts
        generator = vpc.program().parent / "vpcsim_load"
        receiver = subprocess.Popen(b.command(generator, "receive", PORT + 1), stdout=subprocess.PIPE, text=True)
        try:
            receiver.stdout.readline()
            used = cpu_seconds(net.vpcsim.pid)
            sent = a.run(generator, "send", f"{b.address}:{PORT + 1}", rate, count, size).stdout.strip()
            eventually("vpcsim has nothing left", lambda: quiet(net), timeout=30)
            used = cpu_seconds(net.vpcsim.pid) - used
        finally:
            receiver.terminate()
            received = receiver.communicate()[0].strip()
        figure(f"load: {sent}; {received}; vpcsim {used / count * 1e6:.1f} us a packet, seed {seed}")
        check(received.startswith(f"received {count} "), f"all {count} arrive")


def quiet(net):
    before = net.pair("a->b")
    time.sleep(0.3)
    return net.pair("a->b") == before


def cpu_seconds(pid):
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9
