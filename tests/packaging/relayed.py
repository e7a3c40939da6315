"""Heartbeats that two agents relay, a thousand a second each way, and what is lost of them when one is disturbed."""

import json
import subprocess
import time

from machine import Failed, HERE, eventually
from process import undisturbed

RATE = 1000  # heartbeats a second from each side
MEMBERS = 20  # on each side
# What half a second without an agent takes. It is a fifth of that; a second time is for a machine that is busy.
LOST_AT_MOST = RATE // 2
TIMES = 2
# Tomcats drop a member after 3 s.
DROP_SECONDS = 3


class Crowd:
    """crowd.py on a host."""

    def __init__(self, host, directory, stack):
        with open(directory / f"crowd-{host.name}.log", "ab") as log:
            self._child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *host.command("python3", HERE / "crowd.py", RATE, MEMBERS)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        stack.callback(self._stop)

    def _stop(self):
        with undisturbed():
            self._child.stdin.close()
            self._child.wait(10)

    def ask(self):
        """What it has said and heard since it was asked before."""
        self._child.stdin.write("\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline()
        if not answer:
            raise Failed("crowd.py has ended")
        return json.loads(answer)


class Relayed:
    def __init__(self, machine, other, directory, stack, tell):
        """tell: (what, whether it holds, more) -> None, raises if it does not; tell.say prints."""
        self.machine = machine
        self._check, self._say = tell
        self._crowds = [Crowd(host, directory, stack) for host in (machine.host, other.host)]
        eventually("heartbeats are relayed both ways", lambda: all(
            answer["members"] == MEMBERS for answer in self._ask()), 30)

    def _ask(self):
        return [crowd.ask() for crowd in self._crowds]

    def _until_all_is_well(self):
        """What was lost on either side, and the longest time in which a member was not heard."""
        lost, silence = [0, 0], 0.0
        deadline = time.monotonic() + 30
        while True:
            time.sleep(0.5)
            answers = self._ask()
            lost = [before + answer["lost"] for before, answer in zip(lost, answers)]
            silence = max(silence, *(answer["silence_seconds"] for answer in answers))
            if all(answer["heard"] > 0 and answer["silence_seconds"] < 0.5 for answer in answers):
                return lost, silence
            if time.monotonic() > deadline:
                raise Failed(f"heartbeats are not relayed both ways again: {answers}")

    def comes_back(self, what, disturb, silence_seconds=DROP_SECONDS, lost_at_most=LOST_AT_MOST):
        """The agent of the machine is another process afterwards; twice, if much was lost."""
        least = []
        while len(least) < TIMES and min(least, default=lost_at_most + 1) > lost_at_most:
            lost, silence = self._disturbed(what, disturb)
            self._say(f"{what}: {lost[1]} of this side's and {lost[0]} of the other's heartbeats were lost, at {RATE}/s "
                      f"each; no member was silent for more than {silence * 1000:.0f} ms")
            self._check(f"{what}: no member was silent for {silence_seconds} s", silence < silence_seconds, silence)
            least.append(max(lost))
        self._check(f"{what}: at most {lost_at_most} heartbeats of a side were lost", min(least) <= lost_at_most, least)

    def _disturbed(self, what, disturb):
        pid = self.machine.property("MainPID")
        self._until_all_is_well()
        disturb(pid)
        eventually(f"{what}: another process", lambda: self.machine.property("MainPID") not in ("0", pid), 20)
        lost_and_silence = self._until_all_is_well()
        eventually("active", lambda: self.machine.property("ActiveState") == "active", 10)
        return lost_and_silence
