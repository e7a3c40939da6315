"""The disk is full under load: an alarm, refusals, sessions in memory; with room again all is written, and outlives kill -9."""
import os
import shutil
import subprocess
import threading
import time

from engines import SEED, Load, both, check, eventually, figure, running, say
from tribes import PATIENCE


def small_disk(engine):
    """Python's own mount, which every process has that it starts."""
    state = engine.directory + "/state"
    os.mkdir(state)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=1777", "none", state], check=True)
    return state


class Rest:
    """Somebody else who takes all room, and what the engine gives up as well."""

    def __init__(self, state):
        self.path = state + "/rest"
        self.ends = False
        self.thread = threading.Thread(target=self._take, daemon=True)
        self.thread.start()

    def _take(self):
        with open(self.path, "wb", buffering=0) as rest:
            while not self.ends:
                try:
                    rest.write(bytes(1 << 14))
                except OSError:
                    time.sleep(0.02)

    def give_back(self):
        self.ends = True
        self.thread.join()
        os.unlink(self.path)


def more_of(load, answer, number):
    """Waits until so many more messages had that answer."""
    before = load.total(answer)
    return eventually(lambda: load.total(answer) >= before + number, 2 * PATIENCE)


def full_under_load(a, state, load):
    load.start()
    check("the disk has room: acknowledged", more_of(load, True, 200))
    rest = Rest(state)
    check("the disk is full: told", eventually(lambda: a.count(" disk_failed: ") >= 1))
    check("refused, by the engine with that disk", more_of(load, False, 100))
    accepted, refused = load.total(True), load.total(False)
    check("the engine beside it acknowledges", more_of(load, True, 100))
    time.sleep(1)
    load.stop()
    figure(f"full: {accepted} acknowledged and {refused} refused before, {load.total(True)} and {load.total(False)} after")
    values, given = a.sessions("10.1.0.10")
    wrong = load.wrong(values, given)
    check("all that was said meanwhile is in memory" + "".join("\n  " + line for line in wrong[:5]), not wrong)
    alarms = a.count(" disk_failed: ")
    check(f"{alarms} alarms: one each time that it could be written no more", alarms == a.count(" disk: ") + 1)
    status = a.tell("status")
    check("the status says so", status["disk"] == "failed" and status["verdict"]["level"] == "critical")
    return rest


def room_again(a, load):
    check("there is room: told", eventually(lambda: a.count(" disk: ") == a.count(" disk_failed: ")))
    refused = load.total(False)
    load.start()
    more_of(load, True, 100)
    load.stop()
    # Each acknowledgement of this engine says that everything before it is written.
    figure(f"room again: {load.total(False) - refused} refused")
    values, _ = a.sessions("10.1.0.10")
    for engine in load.engines:
        engine.kill()
    a.start()
    after, given = a.sessions("10.1.0.10")
    wrong = load.wrong(after, given)
    check("killed, and started alone: all is there" + "".join("\n  " + line for line in wrong[:5]), not wrong)
    check(f"as it was before, {len(after)} sessions", after == values)


say(f"TRIBECAST_SEED={SEED}")
engines_ = both()
a_ = engines_[0]
state_ = small_disk(a_)
with running(*engines_):
    for engine_ in engines_:
        engine_.start()
    load_ = Load(engines_, padding=30_000)  # RocksDB has taken room for its log beforehand
    full_under_load(a_, state_, load_).give_back()
    room_again(a_, load_)
    a_.stop()
