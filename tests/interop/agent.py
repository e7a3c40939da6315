"""One tribecastd on a host, and the tribecast command that asks it."""

import json
import os
import pathlib
import subprocess

from process import Failed, Process

HERE = pathlib.Path(__file__).parent

CONFIG = """[control]
socket = {socket}

[security]
keyring = {keyring}

[group "tomcat"]
address = 228.0.0.4:45564
"""


def bin_directory():
    return pathlib.Path(os.environ.get("TRIBECAST_BIN_DIR") or HERE.parents[1] / "build/release/bin")


def missing_programs():
    return [str(bin_directory() / name) for name in ("tribecastd", "tribecast")
            if not os.access(bin_directory() / name, os.X_OK)]


def write_keyring(path):
    keys = subprocess.run([bin_directory() / "tribecast", "keygen"], check=True, capture_output=True, text=True)
    path.touch(mode=0o600)
    path.write_text(keys.stdout)


class Agent:
    def __init__(self, host, directory, peers, keyring, outlives_harness=False, peer_settings=""):
        """peers: the hosts of all agents, this one too; the same list on every node. peer_settings: lines for each, or
        what makes them of the peer."""
        self.host = host
        self.directory = pathlib.Path(directory) / f"{host.name}-agent"
        self.directory.mkdir()
        self.socket = self.directory / "control.sock"
        self.config = self.directory / "tribecast.conf"
        self.config.write_text(CONFIG.format(socket=self.socket, keyring=keyring) + "".join(
            f'\n[peer "{peer.name}"]\naddress = {peer.address}\n'
            f'{peer_settings(peer) if callable(peer_settings) else peer_settings}' for peer in peers))
        self.process = Process(host, self._words(), self.directory / "tribecastd.log", outlives_harness=outlives_harness)
        self._starts = 0

    def _words(self, directory=None, prefix=()):
        return [*prefix, (directory or bin_directory()) / "tribecastd", "--config", self.config]

    def runs(self, directory=None, prefix=()):
        """From the next start on: the program of another directory, or by a command that runs it."""
        self.process.runs(self._words(directory, prefix))

    def start(self):
        """Returns when the agent says that it is ready; its peers may not be there yet."""
        self.process.start()
        self._starts += 1
        self.process.wait_for_log(" ready: ready", count=self._starts)

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    def command(self, *words):
        """The words that run a tribecast command against this agent, on its host."""
        return self.host.command(bin_directory() / "tribecast", "--socket", self.socket, *words)

    def wait_for_peers(self, timeout_seconds=30):
        result = self._run("wait", "--peers", "all", "--timeout", f"{timeout_seconds}s")
        if result.returncode != 0:
            raise Failed(f"{self.host.name}: wait --peers all: exit {result.returncode} {result.stdout}{result.stderr}")

    def reload(self):
        result = self._run("config", "reload")
        if result.returncode != 0:
            raise Failed(f"{self.host.name}: config reload: exit {result.returncode} {result.stdout}{result.stderr}")

    def text(self, verb):
        return self._run(verb).stdout

    def ask(self, verb):
        """The JSON answer of a reading verb."""
        result = self._run("--json", verb)
        try:
            return json.loads(result.stdout)
        except json.JSONDecodeError as error:
            raise Failed(f"tribecast --json {verb}: exit {result.returncode}, no JSON: "
                         f"{result.stdout!r} {result.stderr!r}") from error

    def examine(self, tomcat=None):
        """What `tribecast doctor` says on this host, where a Tomcat may have been that does not run."""
        environment = {**os.environ, "CATALINA_BASE": str(tomcat.base)} if tomcat else None
        result = self._run("--json", "doctor", "--config", str(self.config), environment=environment)
        try:
            return json.loads(result.stdout)["findings"]
        except (json.JSONDecodeError, KeyError) as error:
            raise Failed(f"doctor: exit {result.returncode}: {result.stdout!r} {result.stderr!r}") from error

    def group(self):
        return self.ask("groups")["groups"][0]

    def refused(self, reason):
        """How many datagrams of the group were refused for this reason."""
        return self.group()["dropped"][reason]

    def members(self, *states):
        """The Tomcats in one of these states, as HOST:PORT, sorted: alive, late, left (said so), lost."""
        return sorted(f"{member['host']}:{member['port']}" for member in self.ask("members")["members"]
                      if member["state"] in states)

    def log_lines(self, event):
        """What it has logged under this id, such as member_dead, since its first start."""
        return [line for line in self.process.log_text().splitlines() if f" {event}: " in line]

    def _run(self, *words, environment=None):
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=60, env=environment)
