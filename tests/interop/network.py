"""Networks made of Linux network namespaces.

A Network owns the namespaces of its hosts, and one more in the middle that joins them: a router (RoutedNetwork: one
/24 per host, so no multicast passes) or a switch (one subnet, with multicast: Lan, or without: CloudSubnet). The harness
itself talks to the hosts from the namespace in the middle. Nothing is visible in the machine's own namespace but the names,
which begin with the network's prefix, so that several networks can stand side by side.
"""

import contextlib
import ctypes
import itertools
import os
import re
import shutil
import subprocess

CLONE_NEWNET = 0x40000000
NETNS_ETC = "/etc/netns"

_libc = ctypes.CDLL(None, use_errno=True)


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@contextlib.contextmanager
def inside(namespace):
    """Sockets that the calling thread creates in this block belong to the namespace, and stay there."""
    with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{namespace}") as there:
        _enter(there)
        try:
            yield
        finally:
            _enter(here)


def _enter(file):
    if _libc.setns(file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


_numbers = itertools.count(1)


def own_prefix():
    """A prefix that tells whose network it is."""
    return f"tc{os.getpid()}-{next(_numbers)}"


def remove_abandoned():
    """Removes the networks of harnesses that were killed before they could do it (ctest does that on a timeout)."""
    for namespace in namespaces("tc"):
        owner = re.match(r"tc(\d+)-\d+-", namespace)
        if owner and not os.path.exists(f"/proc/{owner[1]}"):
            remove_namespace(namespace)


def namespaces(prefix):
    lines = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout.splitlines()
    return [line.split()[0] for line in lines if line.startswith(prefix)]


def remove_namespace(namespace):
    """The processes inside must have ended: a namespace lives as long as one of them."""
    subprocess.run(["ip", "netns", "del", namespace], capture_output=True)
    shutil.rmtree(f"{NETNS_ETC}/{namespace}", ignore_errors=True)
    with contextlib.suppress(OSError):
        os.rmdir(NETNS_ETC)


class Host:
    """A namespace with one interface eth0, a host name and an /etc/hosts of its own."""

    def __init__(self, number, name, namespace, address, reached_from):
        self.number = number  # 1, 2, ... in its network
        self.name = name
        self.namespace = namespace
        self.address = address
        self.reached_from = reached_from  # the namespace from which the harness talks to it

    def command(self, *argv):
        """The words that run argv on this host; the process that they start becomes argv, with the same pid."""
        return ["ip", "netns", "exec", self.namespace,
                "unshare", "--uts", "sh", "-c", f'hostname {self.name}; exec "$@"', "sh", *map(str, argv)]

    def run(self, *argv, check=True):
        return subprocess.run(self.command(*argv), check=check, capture_output=True, text=True)

    def write_hosts_file(self, text):
        directory = f"{NETNS_ETC}/{self.namespace}"
        os.makedirs(directory, exist_ok=True)
        with open(f"{directory}/hosts", "w") as file:
            file.write(text)

    def map_own_name_to_loopback(self):
        """What the Debian installer writes when the machine has no fixed address."""
        self.write_hosts_file(f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n")


class Network:
    def __init__(self, prefix, host_names):
        self.prefix = prefix
        self.middle = f"{prefix}-middle"
        self.hosts = []
        self._namespaces = []
        try:
            self._add_namespace(self.middle)
            self._prepare_middle()
            for number, name in enumerate(host_names, start=1):
                self.hosts.append(self._add_host(number, name))
            self._join()
            self._write_hosts_files()
        except BaseException:
            self.remove()
            raise

    def remove(self):
        for namespace in self._namespaces:
            remove_namespace(namespace)
        self._namespaces = []

    def _add_namespace(self, namespace):
        _ip("netns", "add", namespace)
        self._namespaces.append(namespace)
        _ip("-n", namespace, "link", "set", "lo", "up")

    def _add_host(self, number, name):
        namespace = f"{self.prefix}-{name}"
        self._add_namespace(namespace)
        _ip("-n", self.middle, "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", namespace)
        address, router = self._connect(number, f"to-{name}")
        _ip("-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
        _ip("-n", namespace, "link", "set", "eth0", "up")
        _ip("-n", self.middle, "link", "set", f"to-{name}", "up")
        _ip("-n", namespace, "route", "add", "default", "via", router)
        return Host(number, name, namespace, address, self.middle)

    def _join(self):
        """What is left to do when all hosts are there."""

    def _write_hosts_files(self):
        names = "".join(f"{host.address} {host.name}\n" for host in self.hosts)
        for host in self.hosts:
            host.write_hosts_file(f"127.0.0.1 localhost\n{names}")

    def _prepare_middle(self):
        raise NotImplementedError

    def _connect(self, number, interface):
        """Connects the middle's end of a new host's cable; returns the host's address and its router."""
        raise NotImplementedError


class RoutedNetwork(Network):
    """
        web-1 10.81.1.2 ---+
        web-2 10.81.2.2 ---+--- router (10.81.N.1), forwards unicast only
        web-3 10.81.3.2 ---+
    """

    def _prepare_middle(self):
        subprocess.run(["ip", "netns", "exec", self.middle, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"],
                       check=True)

    def _connect(self, number, interface):
        router = f"10.81.{number}.1"
        _ip("-n", self.middle, "addr", "add", f"{router}/24", "dev", interface)
        return f"10.81.{number}.2", router


class TranslatedNetwork(RoutedNetwork):
    """A RoutedNetwork whose router translates addresses: 10.81.N.2 is reached, and seen to come from, 10.91.N.2.

    At first the untranslated addresses are reached as well.
    """

    @staticmethod
    def seen(host):
        return f"10.91.{host.number}.2"

    def _join(self):
        to = "".join(f"ip daddr {self.seen(host)} dnat to {host.address}\n" for host in self.hosts)
        away = "".join(f"ct status dnat ip saddr {host.address} snat to {self.seen(host)}\n" for host in self.hosts)
        self._nft(f"""table ip translation {{
            chain to {{ type nat hook prerouting priority dstnat; {to} }}
            chain away {{ type nat hook postrouting priority srcnat; {away} }}
            chain only {{ type filter hook forward priority filter; }}
        }}""")

    def close_untranslated(self):
        self._nft("add rule ip translation only ct status dnat accept\nadd rule ip translation only drop")

    def _nft(self, text):
        subprocess.run(["ip", "netns", "exec", self.middle, "nft", "-f", "-"], input=text, text=True, check=True,
                       capture_output=True)


class Lan(Network):
    """
        web-1 10.82.0.1 ---+
        web-2 10.82.0.2 ---+--- switch (10.82.0.254), floods multicast
        web-3 10.82.0.3 ---+
    """
    multicast = "on"

    def _prepare_middle(self):
        _ip("-n", self.middle, "link", "add", "lan", "type", "bridge", "mcast_snooping", "0", "forward_delay", "0")
        _ip("-n", self.middle, "addr", "add", "10.82.0.254/24", "dev", "lan")
        _ip("-n", self.middle, "link", "set", "lan", "up")

    def _connect(self, number, interface):
        _ip("-n", self.middle, "link", "set", interface, "master", "lan")
        _ip("-n", self.middle, "link", "set", interface, "type", "bridge_slave", "mcast_flood", self.multicast)
        return f"10.82.0.{number}", "10.82.0.254"


class CloudSubnet(Lan):
    """A Lan whose switch drops multicast, as within one subnet of a cloud."""
    multicast = "off"
