"""One tribecast-engine on a host."""

import json
import os
import pathlib
import subprocess

from agent import bin_directory
from process import Failed, Process

CONFIG = """[engine]
listen = {host.address}:{port}
state-directory = {state}
control-socket = {control}
{engine}

[membership]
group = {group}
"""

MEMBER = """
[member "{name}"]
address = {address}
"""


def missing_engine():
    program = bin_directory() / "tribecast-engine"
    return [] if os.access(program, os.X_OK) else [str(program)]


class Engine:
    def __init__(self, host, directory, group="228.0.0.4:45564", port=4100, members=(), more="", settings=""):
        """members: what makes [member] sections, (name, HOST:PORT). more: lines of [engine]; settings: of any section."""
        self.host = host
        self.member = f"{host.address}:{port}"
        self.directory = pathlib.Path(directory) / f"{host.name}-engine"
        self.directory.mkdir()
        # The engine gives its rights up to this user.
        self.state = self.directory / "state"
        self.control = self.directory / "control.sock"
        self.config = self.directory / "engine.conf"
        self.config.write_text(
            CONFIG.format(host=host, port=port, state=self.state, control=self.control, group=group, engine=more) + settings +
            "".join(MEMBER.format(name=name, address=address) for name, address in members))
        self.process = Process(host, [bin_directory() / "tribecast-engine", "--config", self.config, "--user", "nobody"],
                               self.directory / "engine.log")
        self._starts = 0

    def start(self):
        """Returns when it says that it is ready."""
        self.process.start()
        self._starts += 1
        self.process.wait_for_log(" ready: ready", count=self._starts)

    def stop(self):
        """Asks it to end, and waits; it must end well."""
        self.process.stop()
        if self.process.exit_code() != 0:
            raise Failed(f"tribecast-engine ended with {self.process.exit_code()}: {self.process.log}")

    def kill(self):
        self.process.kill()

    def tell(self, *words):
        """What `tribecast engine WORDS` says: its exit code, and its JSON."""
        done = subprocess.run([bin_directory() / "tribecast", "--socket", self.control, "--json", "engine", *words],
                              capture_output=True, text=True, timeout=120)
        return done.returncode, json.loads(done.stdout) if done.stdout else {"error": done.stderr}

    def identity(self):
        return (self.state / "identity").read_text()

    def events(self, event, member=""):
        """How often it has logged this of that member."""
        return sum(f" {event}: " in line and member in line for line in self.process.log_text().splitlines())

    def members(self):
        """Those that came and are not gone, by its log: HOST:PORT, sorted."""
        up = set()
        for line in self.process.log_text().splitlines():
            word, _, rest = line.partition(": ")
            if word.endswith(("member_came", "ready")):
                up = up | {rest.split()[0]} if word.endswith("member_came") else set()
            elif word.split()[-1].startswith("member_"):
                up.discard(rest.split()[0])
        return sorted(up)
