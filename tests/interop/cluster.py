"""A whole cluster: a network, an agent on each host, the Tomcats. Removes itself when the `with` block ends."""

import pathlib
import shutil
import tempfile
import time

from agent import Agent, write_keyring
from browser import Visitor
from engine import Engine
from network import RoutedNetwork, own_prefix
from process import Failed, eventually, tail, undisturbed
from tomcat import Settings, Tomcat


def say(text):
    print(text, flush=True)


def check(condition, text):
    if not condition:
        raise Failed(text)
    say(f"  ok    {text}")


class Cluster:
    """settings: for all Tomcats, or one for each. per_host: how many Tomcats on each host."""

    def __init__(self, settings=Settings(), hosts=3, per_host=1, network=RoutedNetwork, agents=True,
                 extra_hosts=(), prefix=None, directory=None, outlives_harness=False, peer_settings=""):
        self.tomcats = []
        self.agents = []
        self.engines = []
        self.fronts = []
        self._outlives_harness = outlives_harness
        names = [f"web-{number}" for number in range(1, hosts + 1)]
        self.network = network(prefix or own_prefix(), [*names, *extra_hosts])
        self.hosts = self.network.hosts[:hosts]
        self.extra_hosts = self.network.hosts[hosts:]
        self.directory = directory or pathlib.Path(tempfile.mkdtemp(prefix="tribecast-"))
        try:
            self.directory.mkdir(exist_ok=True)
            self.directory.chmod(0o755)
            self._make_tomcats(settings if isinstance(settings, list) else [settings] * (hosts * per_host), per_host)
            if agents:
                self._make_agents(peer_settings)
        except BaseException:
            self.remove()
            raise

    def _make_tomcats(self, settings, per_host):
        for number, one in enumerate(settings):
            host = self.hosts[number // per_host]
            instance = number % per_host + 1
            self.tomcats.append(Tomcat(host, self.directory, one, instance, self._outlives_harness))

    def _make_agents(self, peer_settings):
        keyring = self.directory / "cluster.keys"
        write_keyring(keyring)
        self.agents = [Agent(host, self.directory, self.hosts, keyring, self._outlives_harness, peer_settings)
                       for host in self.hosts]

    def engine(self, host, **more):
        """An Engine that ends with the cluster."""
        self.engines.append(Engine(host, self.directory, **more))
        return self.engines[-1]

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        failed = kind is not None and issubclass(kind, Exception)
        if failed:
            self._show_logs()
        if kind or not self._outlives_harness:
            self.remove(keep_directory=failed)

    def remove(self, keep_directory=False):
        with undisturbed():
            for part in [*self.tomcats, *self.fronts, *self.agents, *self.engines]:
                part.process.kill()
            self.network.remove()
            if not keep_directory:
                shutil.rmtree(self.directory, ignore_errors=True)
        if keep_directory:
            say(f"logs: {self.directory}")

    def _show_logs(self):
        for part in [*self.agents, *self.engines, *self.tomcats]:
            if part.process.log.exists():
                say(f"----- {part.process.log}\n{tail(part.process.log, 8)}")

    def start(self):
        """Agents first, then the Tomcats one after the other, as a rolling start does; returns with all members seen.

        Tomcats that start at the same moment ask each other for the sessions and wait for 60 s, relay or not.
        """
        self.start_agents()
        self.start_tomcats()
        self.wait_complete()

    def start_agents(self):
        for agent in self.agents:
            agent.start()
        for agent in self.agents:
            agent.wait_for_peers()

    def start_tomcats(self):
        for tomcat in self.tomcats:
            tomcat.start()

    def wait_complete(self, timeout=60):
        """Every running Tomcat lists every other running Tomcat and nobody else; returns how long that took."""
        began = time.monotonic()
        eventually("all members seen by all", lambda: self.members() == self._expected_members(), timeout)
        return time.monotonic() - began

    def running(self):
        return [tomcat for tomcat in self.tomcats if tomcat.process.running()]

    def members(self):
        return {tomcat.name: tomcat.members() for tomcat in self.running()}

    def _expected_members(self):
        return {tomcat.name: sorted(other.member for other in self.running() if other is not tomcat)
                for tomcat in self.running()}

    def visitor(self):
        return Visitor(self.network.middle)
