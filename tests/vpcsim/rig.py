"""Three hosts in a VPC, an agent and a stand-in for a Tomcat on each, and what the members have said and heard."""

import collections
import os
import pathlib
import shutil
import tempfile

import vpc
from agent import Agent, write_keyring
from network import own_prefix
from process import Failed, Process, eventually, tail, undisturbed

MEMBER = pathlib.Path(__file__).parents[1] / "netns/tomcat.py"
RELAY_PORT = 45565
BEAT_SECONDS = 0.1
LONG = bool(os.environ.get("TRIBECAST_LONG"))

Heartbeat = collections.namedtuple("Heartbeat", "kind origin alive checksum time")


def say(text):
    print(text, flush=True)


def figure(text):
    say(f"figure: {text}")


def check(condition, text):
    if not condition:
        raise Failed(text)
    say(f"  ok    {text}")


class Member:
    """One tomcat.py --trace."""

    def __init__(self, host, directory, port=4000, *options):
        self.name = f"{host.address}:{port}"
        self.process = Process(host, ["python3", MEMBER, "eth0", "--trace", "--port", port, *options],
                               pathlib.Path(directory) / f"member-{host.name}-{port}.log")
        self.process.start()
        self.process.wait_for_log("ready", timeout=20)

    def said(self):
        return [beat for beat in self._lines() if beat.kind == "sent"]

    def said_goodbye(self):
        return [beat for beat in self._lines() if beat.kind == "said-goodbye"]

    def heard(self):
        """Heartbeats of others, goodbyes included, in the order in which they were injected."""
        return [beat for beat in self._lines() if beat.kind in ("heard", "left")]

    def _lines(self):
        complete = self.process.log_text().rpartition("\n")[0]  # the last line may be half written
        lines = [line.split() for line in complete.splitlines()]
        odd = [words for words in lines if len(words) != 5 and words[:1] != ["ready"]]
        if odd:
            raise Failed(f"{self.process.log} says {' '.join(odd[0])}")
        return [Heartbeat(kind, origin, int(alive), int(checksum), float(time))
                for kind, origin, alive, checksum, time in (words for words in lines if len(words) == 5)]


class Rig:
    """Agents run and have each other, members beat, when the `with` block begins."""

    def __init__(self, names=("a", "b", "c"), beating=True, seed=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tribecast-vpc-"))
        self.directory.chmod(0o755)
        self.agents = {}
        self.members = {}
        self.net = None
        self._processes = []
        try:
            self.net = vpc.VpcNetwork(own_prefix(), names, seed=seed)
            self.hosts = {host.name: host for host in self.net.hosts}
            self._start(beating)
        except BaseException:
            self._show_logs()
            self._remove()
            raise

    def _start(self, beating):
        keyring = self.directory / "cluster.keys"
        write_keyring(keyring)
        for name, host in self.hosts.items():
            agent = Agent(host, self.directory, self.hosts.values(), keyring)
            self.agents[name] = agent
            self._processes.append(agent.process)
            agent.start()
        self.all_up()
        for name in self.hosts:
            self.members[name] = self.member(name, 4000, "--listen", "--every", BEAT_SECONDS,
                                             *([] if beating else ["--count", 0]))
        eventually("every agent sees its listener", self._all_heard if beating else lambda: True, timeout=30)

    def _all_heard(self):
        return all(len({beat.origin for beat in member.heard()}) == len(self.hosts) - 1
                   for member in self.members.values())

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        failed = kind is not None and issubclass(kind, Exception)
        if failed:
            self._show_logs()
        ended = [process.log for process in self._processes if not process.running()]
        code = self._remove()
        if kind is None and ended:
            raise Failed(f"ended before the test did: {ended}")
        if kind is None and code != 0:
            raise Failed(f"vpcsim ended with {code}")

    def _show_logs(self):
        for process in self._processes:
            if process.log.exists():
                say(f"----- {process.log.name}\n{tail(process.log, 12)}")

    def _remove(self):
        with undisturbed():
            for process in self._processes:
                process.kill()
            code = self.net.remove() if self.net else 0
            shutil.rmtree(self.directory, ignore_errors=True)
        return code

    def member(self, host_name, port, *options):
        member = Member(self.hosts[host_name], self.directory, port, *options)
        self._processes.append(member.process)
        return member

    def all_up(self):
        for agent in self.agents.values():
            agent.wait_for_peers(60)

    def state(self, of, seen_by):
        return next(peer["state"] for peer in self.agents[seen_by].ask("peers")["peers"] if peer["name"] == of)

    def states(self):
        """What everybody says about everybody else: {"a says b": state}."""
        return {f"{name} says {peer['name']}": peer["state"]
                for name, agent in self.agents.items() for peer in agent.ask("peers")["peers"] if peer["name"] != name}

    def drops(self, name):
        """What an agent has dropped, by reason."""
        return self.agents[name].ask("status")["drops"]

    def events(self, name, event):
        """How often an agent's log tells of an event such as peer_silent."""
        return self.agents[name].process.log_text().count(f"{event}:")

    def pairs(self):
        """(origin, receiver) of all directed pairs of members."""
        return [(origin, receiver) for origin in self.members for receiver in self.members if origin != receiver]

    def beats(self, origin, receiver, since=0.0, until=float("inf")):
        """(heartbeats said by one, heard of it by the other), of what was said in this time.

        A goodbye that an agent says in a member's name has the age of the verdict, not of a heartbeat.
        """
        said = [beat for beat in self.members[origin].said() if since <= beat.time < until]
        wanted = {beat.alive for beat in said}
        name = self.members[origin].name
        heard = [beat for beat in self.members[receiver].heard()
                 if beat.kind == "heard" and beat.origin == name and beat.alive in wanted]
        return said, heard


def duplicates(heard):
    """How many of these were heard before."""
    return len(heard) - len({(beat.kind, beat.origin, beat.alive) for beat in heard})


def altered(said, heard):
    """Those that were never said like this."""
    genuine = {beat.checksum for beat in said}
    return [beat for beat in heard if beat.checksum not in genuine]
