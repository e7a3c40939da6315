"""Two engines are killed with -9 in turn, at random moments, while sessions are written: what was acknowledged is there."""
import random
import shutil
import time

from engines import LONG, SEED, Load, both, check, check_quietly, eventually, figure, running, say

KILLS = 8
SECONDS = 600 if LONG else 0  # for each `ack`


def kill_in_turn(engines, rng, load, ack):
    """How often one was killed."""
    end = time.monotonic() + SECONDS
    kills = 0
    while kills < KILLS or time.monotonic() < end:
        time.sleep(rng.uniform(0, 1))
        victim = engines[kills % 2]
        victim.kill()
        kills += 1
        time.sleep(rng.uniform(0, 0.5))
        before = load.total(True)
        victim.start()
        if ack == "disk":
            continue
        # A copy is a promise while one of the two has it: the next one dies when this one has everything again.
        check_quietly("the other one tells it everything", eventually(lambda: victim.counter("fetched") >= 1))
        check_quietly("copies are taken again", eventually(lambda: load.total(True) > before + 20))
        time.sleep(0.5)
    return kills


def scenario(ack):
    rng = random.Random(SEED)
    engines = both(ack)
    with running(*engines):
        for engine in engines:
            engine.start()
        load = Load(engines)
        load.start()
        check("sessions are written", eventually(lambda: load.total(True) > 100))
        began = time.monotonic()
        kills = kill_in_turn(engines, rng, load, ack)
        took = time.monotonic() - began
        load.stop()
        figure(f"ack = {ack}: {kills} kills in {took:.0f} s, {load.total(True)} messages acknowledged, {load.total(False)} refused, "
               f"{load.total(None)} without an answer")
        load.judge(f"ack = {ack}, after the kills")
        # And all that is on the disk.
        for engine in engines:
            engine.kill()
        for engine in engines:
            engine.start()
        load.judge(f"ack = {ack}, after both were killed")
        for engine in engines:
            engine.stop()
    for engine in engines:
        shutil.rmtree(engine.directory)
    for tomcat in load.tomcats:
        tomcat.leave()


say(f"TRIBECAST_SEED={SEED}")
for level in ("disk", "peer"):
    scenario(level)
