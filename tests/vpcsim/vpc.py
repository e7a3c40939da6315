"""Networks whose cloud is vpcsim: a VPC between namespaces, impaired on command.

VpcNetwork stands in for the networks of tests/interop: Cluster(network=VpcNetwork) runs real Tomcats over it.

        web-1 10.83.0.1 ---+
        web-2 10.83.0.2 ---+--- vpcsim: unicast between hosts, nothing else
       middle 10.83.0.254 -+    (the harness; `*` does not mean it)

VPCSIM names the program (default: that of build/ci-release), VPCSIM_SEED the seed (default: chosen and printed).
"""

import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "interop"))

import network  # noqa: E402
from process import Failed, eventually  # noqa: E402

MIDDLE = "middle"
START_SECONDS = 20


def program():
    return pathlib.Path(os.environ.get("VPCSIM") or HERE.parents[1] / "build/ci-release/bin/vpcsim")


def missing_programs():
    return [str(path) for path in (program(), pathlib.Path("/dev/net/tun")) if not os.path.exists(path)]


def chosen_seed():
    return int(os.environ.get("VPCSIM_SEED") or random.getrandbits(32))


class Refused(Failed):
    """vpcsim did not understand a command; says what would be right."""


class Vpcsim:
    """The program. attached: (name, namespace, address) of each host; observers: the names that `*` does not mean."""

    def __init__(self, attached, observers=(), seed=None, tap=None):
        self.seed = chosen_seed() if seed is None else seed
        self._directory = tempfile.TemporaryDirectory(prefix="vpcsim-")
        self.socket = pathlib.Path(self._directory.name) / "control"
        self.log = pathlib.Path(self._directory.name) / "log"
        argv = [program(), "--socket", self.socket, "--seed", self.seed]
        for name, namespace, address in attached:
            argv += ["--host", f"{name}={namespace}:eth0:{address}"]
        for name in observers:
            argv += ["--observer", name]
        argv += ["--tap", tap] if tap else []
        with open(self.log, "wb") as log:
            self._child = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *map(str, argv)],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            eventually("vpcsim starts", self._is_ready, START_SECONDS)
        except BaseException:
            self.stop()
            raise
        print(f"  vpcsim: seed {self.seed}", flush=True)

    def _is_ready(self):
        text = self.log.read_text(errors="replace")
        if self._child.poll() is not None:
            raise Failed(f"vpcsim ended with {self._child.returncode}: {text}")
        return "ready" in text

    def tell(self, command):
        """The answer's text. Raises what vpcsim says when it refuses."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(command.encode() + b"\n")
            answer = connection.makefile().readline().rstrip("\n")
        if answer.startswith("error:") or not answer:
            raise Refused(f"vpcsim: {command}: {answer or 'no answer'}")
        return answer

    @property
    def pid(self):
        return self._child.pid

    def stop(self):
        """Returns its exit code; something else than 0 is what a sanitizer or a bug left."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(10)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        if self._child.returncode not in (0, -signal.SIGTERM):
            with contextlib.suppress(OSError):
                text = self.log.read_text(errors="replace")
                print(f"vpcsim ended with {self._child.returncode}:\n{text}", flush=True)
        self._directory.cleanup()
        return self._child.returncode


def _bring_up(host):
    """What a cloud's DHCP tells: an address, the subnet's size, and that everything leaves by eth0."""
    for words in (["addr", "add", f"{host.address}/24", "brd", "+", "dev", "eth0"], ["link", "set", "eth0", "up"],
                  ["route", "add", "default", "dev", "eth0"]):
        subprocess.run(["ip", "-n", host.namespace, *words], check=True, capture_output=True, text=True)


class VpcNetwork(network.Network):
    subnet = "10.83.0"

    def __init__(self, prefix, host_names, seed=None, tap=None):
        self._seed = seed
        self._tap = tap
        self.vpcsim = None
        super().__init__(prefix, host_names)

    def set(self, pairs, **values):
        """set("a->b", loss=30, delay="20ms")"""
        self.vpcsim.tell(f"set {pairs} " + " ".join(f"{key}={value}" for key, value in values.items()))

    def clear(self, pairs="*"):
        self.vpcsim.tell(f"clear {pairs}")

    def partition(self, *groups):
        """partition(["a", "b"], ["c"])"""
        self.vpcsim.tell("partition " + " | ".join(",".join(group) for group in groups))

    def heal(self):
        self.vpcsim.tell("heal")

    def deny(self, pairs, *protocol_and_ports):
        self.vpcsim.tell(" ".join(map(str, ["deny", pairs, *protocol_and_ports])))

    def allow(self, pairs, *protocol_and_ports):
        self.vpcsim.tell(" ".join(map(str, ["allow", pairs, *protocol_and_ports])))

    def counters(self):
        return json.loads(self.vpcsim.tell("counters"))

    def pair(self, pair):
        """The counters of one directed pair, as in pair("a->b")."""
        return self.counters()["pairs"][pair]

    def dropped(self, host_name):
        """What was dropped of a host that belongs to no pair, by reason."""
        return self.counters()["hosts"][host_name]["dropped"]

    def remove(self):
        """Returns vpcsim's exit code."""
        vpcsim, self.vpcsim = self.vpcsim, None
        code = vpcsim.stop() if vpcsim else 0
        super().remove()
        return code

    def _prepare_middle(self):
        pass  # it is connected as the hosts are

    def _add_host(self, number, name):
        namespace = f"{self.prefix}-{name}"
        self._add_namespace(namespace)
        return network.Host(number, name, namespace, f"{self.subnet}.{number}", self.middle)

    def _join(self):
        middle = network.Host(254, MIDDLE, self.middle, f"{self.subnet}.254", self.middle)
        everybody = [*self.hosts, middle]
        self.vpcsim = Vpcsim([(host.name, host.namespace, f"{host.address}/24") for host in everybody],
                             observers=[MIDDLE], seed=self._seed, tap=self._tap)
        for host in everybody:
            _bring_up(host)
