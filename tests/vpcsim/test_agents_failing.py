"""Whole agents in good weather, and what happens to the agents themselves: killed, stopped, gone, replaced."""

import contextlib
import os
import pathlib
import signal
import statistics
import subprocess
import time

from agent import bin_directory
from process import Failed, Skipped, eventually
from rig import LONG, Rig, check, duplicates, figure
from test_agents_impaired import GOOD, MAX_AGE, SETTLE, SLACK, for_a_while

DROP_TIME = 3.0
OLDER = pathlib.Path(__file__).parents[1] / "judgement/older"


def gaps(rig, since=0.0, without=()):
    """The longest time that each member heard nothing of each other one; who is in `without` is not looked at."""
    longest = {}
    for origin, receiver in rig.pairs():
        if not {origin, receiver} & set(without):
            times = [beat.time for beat in rig.beats(origin, receiver, since)[1]]
            longest[origin, receiver] = max(later - earlier for earlier, later in zip(times, times[1:]))
    return longest


def false_drops(longest):
    return sum(gap > DROP_TIME for gap in longest.values())


def relaying(rig, name, since):
    """When heartbeats said later have come from this host to another one, and to it."""
    other = next(each for each in rig.members if each != name)

    def both_ways():
        came = [rig.beats(*pair, since)[1] for pair in ((name, other), (other, name))]
        return all(came) and max(beats[0].time for beats in came)
    return eventually(f"{name} relays both ways", both_ways, timeout=60)


def oldest(rig, since, receivers=None):
    """Age of the oldest heartbeat that was injected."""
    ages = [0.0]
    for origin, receiver in rig.pairs():
        if receivers is None or receiver in receivers:
            sent, got = rig.beats(origin, receiver)
            times = {beat.alive: beat.time for beat in sent}
            ages += [beat.time - times[beat.alive] for beat in got if beat.time >= since]
    return max(ages)


def resources(rig):
    """(descriptors, resident KiB) of each agent."""
    found = {}
    for name, agent in rig.agents.items():
        process = pathlib.Path(f"/proc/{agent.process.pid}")
        resident = next(line for line in (process / "status").read_text().splitlines() if line.startswith("VmRSS"))
        found[name] = len(list((process / "fd").iterdir())), int(resident.split()[1])
    return found


def not_injected(rig):
    """How many datagrams of those received each agent has not injected."""
    groups = [agent.group() for agent in rig.agents.values()]
    return [group["received"] - group["injected"] for group in groups]


def before_others():
    """This rig runs before what else keeps the machine busy; where that is not allowed its latency is the machine's."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))


def steady(seed):
    """Good weather: nothing lost, nothing twice, nothing dropped, nothing grows."""
    seconds, minute = (3600, 60) if LONG else (20, 20)
    before_others()
    with Rig(seed=seed) as rig:
        time.sleep(5)
        before, waiting = resources(rig), not_injected(rig)
        latency = []  # of all agents, minute by minute, which is what an agent remembers

        def look():
            latency.extend(agent.ask("status")["latency_seconds"] for agent in rig.agents.values())
        began, ended = for_a_while(seconds, every=minute, look=look)
        look()
        del latency[:len(rig.agents)]  # what was at the start
        time.sleep(SETTLE)
        said = heard = repeated = 0
        for origin, receiver in rig.pairs():
            sent, got = rig.beats(origin, receiver, began, ended)
            said += len(sent)
            heard += len(got)
            repeated += duplicates(got)
        after = resources(rig)
        extra = max(abs(then - now) for then, now in zip(waiting, not_injected(rig)))
        dropped = false_drops(gaps(rig, began))
        grown = max(after[name][1] - before[name][1] for name in after)
        figure(f"steady {seconds} s: {said - heard} of {said} heartbeats lost, {repeated} twice, {dropped} members dropped; latency p50 "
               f"{statistics.median(each['p50'] for each in latency) * 1000:.2f} p99 "
               f"{statistics.median(each['p99'] for each in latency) * 1000:.2f} ms, in the worst minute "
               f"{max(each['p99'] for each in latency) * 1000:.2f} ms; "
               f"{max(descriptors for descriptors, _ in after.values())} descriptors, RSS grew by at most {grown} KiB, "
               f"load average {os.getloadavg()[0]:.1f}, seed {seed}")
        check(said == heard and repeated == 0, "every heartbeat arrives once")
        check(dropped == 0, "nobody would be dropped")
        check(extra <= 1, "one injection for each that arrives")  # one may wait for its turn
        check([each[0] for each in after.values()] == [each[0] for each in before.values()], "no descriptor more or less")


def killed(seed):
    """kill -9 of an agent, started again at once as systemd does."""
    with Rig(seed=seed) as rig:
        agent = rig.agents["b"]
        began = time.monotonic()
        back, relays = [], []
        for _ in range(20 if LONG else 3):
            time.sleep(SETTLE)
            agent.kill()
            at = time.monotonic()
            agent.start()
            ready = time.monotonic()
            back.append(ready - at)
            relays.append(relaying(rig, "b", at) - ready)
        time.sleep(SETTLE)
        dropped = false_drops(gaps(rig, began))
        repeated = sum(duplicates(rig.beats(*pair, began)[1]) for pair in rig.pairs())
        figure(f"agent killed {len(back)} times: ready after {statistics.median(back) * 1000:.0f} ms (most {max(back) * 1000:.0f}), "
               f"relaying {max(0, statistics.median(relays)) * 1000:.0f} ms later (most {max(0, *relays) * 1000:.0f}), {dropped} members "
               f"dropped, {repeated} heartbeats twice, seed {seed}")
        check(dropped == 0, "nobody would be dropped")
        check(repeated == 0, "nothing is injected twice")


def reboot(seed):
    """A host with its agent and its member is gone for a while."""
    with Rig(seed=seed) as rig:
        began = time.monotonic()
        rig.net.partition(["a", "b"], ["c"])
        rig.agents["c"].kill()
        at = time.monotonic()
        eventually("c is silent", lambda: rig.state("c", "a") == "silent" and rig.state("c", "b") == "silent", timeout=30)
        silent = time.monotonic() - at
        away = 30 if LONG else 6
        time.sleep(max(0.0, away - silent))
        rig.net.heal()
        rig.agents["c"].start()
        ready = time.monotonic()
        relays = max(0.0, relaying(rig, "c", ready) - ready)
        rig.all_up()
        time.sleep(SETTLE)
        dropped = false_drops(gaps(rig, began, without=["c"]))
        age = oldest(rig, ready)
        figure(f"host gone for {away} s: silent after {silent:.1f} s, relaying {relays * 1000:.0f} ms after its agent is up, {dropped} members "
               f"of the others dropped, oldest heartbeat injected {age * 1000:.0f} ms, seed {seed}")
        check(dropped == 0, "the others do not notice")
        check(age < MAX_AGE + SLACK, "nothing older than max-age is injected")


def stopped(seed):
    """SIGSTOP of an agent for 5 s: what waited is not injected."""
    with Rig(seed=seed) as rig:
        pid = rig.agents["b"].process.pid
        time.sleep(SETTLE)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(5)
        at = time.monotonic()
        os.kill(pid, signal.SIGCONT)
        relays = relaying(rig, "b", at) - at
        rig.all_up()
        time.sleep(SETTLE)
        age = oldest(rig, at)
        stale = sum(rig.drops(name)["stale"] for name in rig.agents)
        figure(f"agent stopped for 5 s: oldest heartbeat injected afterwards {age * 1000:.0f} ms, {stale} refused as stale, relaying "
               f"{max(0, relays) * 1000:.0f} ms after it goes on, seed {seed}")
        check(age < MAX_AGE + SLACK, "nothing older than max-age is injected")
        check(stale > 0, "what waited is counted")


def clocks(seed):
    """An agent whose clocks are an hour ahead of the others', and later are not."""
    shift = ["unshare", "--time", "--monotonic", "3600", "--boottime", "3600", "--"]
    if subprocess.run([*shift, "true"], capture_output=True, check=False).returncode != 0:
        raise Skipped("this kernel has no time namespaces")
    with Rig(seed=seed) as rig:
        agent = rig.agents["b"]
        began = time.monotonic()
        agent.stop()
        agent.runs(prefix=shift)
        agent.start()
        rig.all_up()
        here, there = for_a_while(5)
        time.sleep(SETTLE)
        said = heard = 0
        for pair in rig.pairs():
            sent, got = rig.beats(*pair, here, there)
            said += len(sent)
            heard += len(got)
        age = oldest(rig, here)
        agent.stop()
        agent.runs()
        agent.start()
        rig.all_up()
        time.sleep(SETTLE)
        dropped = false_drops(gaps(rig, began))
        figure(f"boot clock an hour ahead, and back: {said - heard} of {said} heartbeats lost, oldest injected {age * 1000:.0f} ms, {dropped} "
               f"members dropped, seed {seed}")
        check(said == heard, "every heartbeat arrives")
        check(age < MAX_AGE + SLACK and dropped == 0, "ages are right, nobody would be dropped")


def older_programs():
    """The folder with tribecastd of an older build; None in the short form."""
    if os.environ.get("TRIBECAST_OLD_BIN_DIR"):
        return pathlib.Path(os.environ["TRIBECAST_OLD_BIN_DIR"])
    if not LONG:
        return None
    built = subprocess.run([OLDER], capture_output=True, text=True, check=False)
    if built.returncode == 77:
        raise Skipped(built.stderr.strip())
    if built.returncode != 0:
        raise Failed(f"the older build: {built.stderr[-2000:]}")
    return pathlib.Path(built.stdout.strip().splitlines()[-1])


def rolling(seed):
    """Agents are replaced one after the other, by another build and back again."""
    older = older_programs()
    kinds = ["this build", "this build again"] if older is None else ["the older build", "this build"]
    with Rig(seed=seed) as rig:
        programs = {kinds[0]: older or bin_directory(), kinds[1]: bin_directory()}
        began = time.monotonic()
        for kind in kinds:
            for agent in rig.agents.values():
                agent.stop()
                agent.runs(programs[kind])
                agent.start()
                rig.all_up()
                for_a_while(3 if LONG else 1)
        time.sleep(SETTLE)
        longest = gaps(rig, began)
        repeated = sum(duplicates(rig.beats(*pair, began)[1]) for pair in rig.pairs())
        figure(f"rolling: three agents replaced in turn by {kinds[0]}, then by {kinds[1]}: {false_drops(longest)} members dropped, longest "
               f"time without a heartbeat {max(longest.values()):.1f} s, {repeated} twice, seed {seed}")
        check(false_drops(longest) == 0, "nobody would be dropped")
        check(repeated == 0, "nothing is injected twice")
