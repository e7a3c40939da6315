"""Whole agents over a network that loses, repeats, delays, reorders, parts, refuses and corrupts."""

import math
import time

from process import eventually
from rig import LONG, RELAY_PORT, Rig, altered, check, duplicates, figure

GOOD = ("up", "lossy")
MAX_AGE = 1.0
# Between the injection that the agent judged and the member's reading of its clock.
SLACK = 0.25
SETTLE = 2.0


def for_a_while(seconds, every=0.5, look=lambda: None):
    """(when it began, when it ended); looks once in a while."""
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        look()
        time.sleep(every)
    return began, time.monotonic()


def within(hits, share, of, deviations=5):
    """As a binomial distribution has it."""
    return abs(hits - share * of) <= deviations * math.sqrt(of * share * (1 - share))


def loss(seed):
    """30 % for 20 s: what arrives is injected once, and no peer is given up."""
    with Rig(seed=seed) as rig:
        rig.net.set("*", loss=30)
        seen = []
        began, ended = for_a_while(20, look=lambda: seen.extend(rig.states().values()))
        rig.net.clear()
        time.sleep(SETTLE)
        said = heard = repeated = 0
        for origin, receiver in rig.pairs():
            sent, got = rig.beats(origin, receiver, began, ended)
            said += len(sent)
            heard += len(got)
            repeated += duplicates(got)
        silent = sum(rig.events(name, "peer_silent") for name in rig.agents)
        figure(f"loss 30 %: {heard} of {said} heartbeats arrive, {repeated} twice, {silent} peers went silent, "
               f"seed {seed}")
        check(repeated == 0, "nothing is injected twice")
        check(within(heard, 0.7, said), "what the network carries arrives")
        check(silent == 0 and all(state in GOOD for state in seen), "no peer goes silent")


def duplicate(seed):
    """30 % come twice: every heartbeat is injected exactly once."""
    with Rig(seed=seed) as rig:
        rig.net.set("*", duplicate=30)
        began, ended = for_a_while(20)
        rig.net.clear()
        time.sleep(SETTLE)
        twice = sum(pair["duplicated"] for pair in rig.net.counters()["pairs"].values())
        refused = sum(rig.drops(name)["replayed"] + rig.drops(name)["duplicate"] for name in rig.agents)
        said = once = repeated = 0
        for origin, receiver in rig.pairs():
            sent, got = rig.beats(origin, receiver, began, ended)
            said += len(sent)
            once += len({beat.alive for beat in got})
            repeated += duplicates(got)
        figure(f"duplicate 30 %: {once} of {said} heartbeats injected, {repeated} twice; {twice} packets came twice, "
               f"{refused} refused as replayed, seed {seed}")
        check(twice > 100, "the network repeats")
        check(once == said and repeated == 0, "every heartbeat is injected exactly once")
        check(refused == twice, "and every second copy is counted")


def reorder(seed):
    """25 % overtake, the others take 0-400 ms: nothing of a member comes after its goodbye."""
    with Rig(beating=False, seed=seed) as rig:
        rig.net.set("*", reorder=25, jitter="0-400ms")
        leavers = [rig.member("a", 5000 + number, "--every", 0.05, "--count", 20, "--goodbye") for number in range(12)]
        listeners = [rig.members[name] for name in ("b", "c")]
        names = {leaver.name for leaver in leavers}
        eventually("all goodbyes are said", lambda: all(leaver.said_goodbye() for leaver in leavers), timeout=30)
        time.sleep(SETTLE)
        after = repeated = backwards = goodbyes = heard = 0
        for listener in listeners:
            beats = [beat for beat in listener.heard() if beat.origin in names]
            heard += len(beats)
            repeated += duplicates(beats)
            for name in names:
                own = [beat for beat in beats if beat.origin == name]
                kinds = [beat.kind for beat in own]
                goodbyes += kinds.count("left")
                backwards += sum(later.alive < earlier.alive for earlier, later in zip(own, own[1:]))
                if "left" in kinds:
                    after += len(kinds) - kinds.index("left") - 1
        held = sum(rig.drops(name)["held_after_shutdown"] for name in ("b", "c"))
        figure(f"reorder 25 %, jitter 0-400 ms: {heard} heartbeats of 12 members, {repeated} twice, {backwards} "
               f"overtaken before the goodbye, {after} after it ({held} held back), seed {seed}")
        check(held > 0 and backwards > 0, "the network reorders")
        check(goodbyes == len(names) * len(listeners), "every goodbye arrives")
        check(after == 0, "after a goodbye nothing of that member comes")
        check(repeated == 0, "nothing is injected twice")


def partition(seed):
    """10 s (long form: 60 s) between {a, b} and {c}, then healed."""
    seconds = 60 if LONG else 10
    with Rig(seed=seed) as rig:
        parted = [("a", "c"), ("b", "c")]
        rig.net.partition(["a", "b"], ["c"])
        began, ended = for_a_while(seconds)
        silent = all(rig.state(x, y) == "silent" and rig.state(y, x) == "silent" for x, y in parted)
        near = rig.state("a", "b") in GOOD and rig.state("b", "a") in GOOD
        rig.net.heal()
        rig.all_up()
        healed = time.monotonic()
        eventually("everybody hears everybody again", lambda: all(
            rig.beats(origin, receiver, healed)[1] for origin, receiver in rig.pairs()), timeout=30)
        time.sleep(SETTLE)
        said, heard = rig.beats("a", "b", began, ended)
        ages, crossed, repeated = [], 0, 0
        for origin, receiver in rig.pairs():
            sent, got = rig.beats(origin, receiver)
            times = {beat.alive: beat.time for beat in sent}
            ages += [beat.time - times[beat.alive] for beat in got]
            repeated += duplicates(got)
            if "c" in (origin, receiver):
                crossed += len(rig.beats(origin, receiver, began + 0.5, ended)[1])
        figure(f"partition of {seconds} s: all up {healed - ended:.1f} s after the heal, oldest injected heartbeat "
               f"{max(ages) * 1000:.0f} ms, {crossed} of the partition's, {repeated} twice, seed {seed}")
        check(silent, "each side shows the other as silent")
        check(near and len(heard) == len(said), "within a side everything goes on")
        check(crossed == 0 and max(ages) < MAX_AGE + SLACK, "nothing older than max-age is injected")
        check(repeated == 0, "nothing is injected twice")


def one_way(seed):
    """The agents' port is closed from a to b; both reach c."""
    with Rig(seed=seed) as rig:
        def both_know():
            return rig.state("a", seen_by="b") == "half_open_in" and rig.state("b", seen_by="a") == "half_open_out"

        denied = time.monotonic()
        rig.net.deny("a->b", "udp", RELAY_PORT)
        eventually("both show the direction", both_know, timeout=30)
        took = time.monotonic() - denied
        seen = []
        began, ended = for_a_while(10, every=0.25, look=lambda: seen.append(rig.states()))
        time.sleep(SETTLE)
        wrong = [states for states in seen if states["b says a"] != "half_open_in" or states["a says b"] != "half_open_out"]
        others = {state for states in seen for who, state in states.items() if who not in ("b says a", "a says b")}
        forth = rig.beats("a", "b", began, ended)[1]
        said, back = rig.beats("b", "a", began, ended)
        figure(f"udp {RELAY_PORT} denied a->b: b says half_open_in and a says half_open_out after {took:.1f} s, and in "
               f"{len(seen) - len(wrong)} of {len(seen)} looks; {len(forth)} heartbeats a->b, {len(back)} of {len(said)} b->a, "
               f"seed {seed}")
        check(not wrong, "both show the right state, all the time")
        check(others <= set(GOOD), "the other pairs are up")
        check(not forth, "nothing passes where it is denied")
        check(rig.net.pair("a->b")["dropped"]["rule"] > 0, "the rule is what drops it")
        rig.net.allow("*")
        rig.all_up()
        check(True, "both are up when it is allowed again")


def corruption(seed):
    """10 % with a flipped bit: by the wire, which the kernel finds, and by somebody who mends the UDP checksum."""
    with Rig(seed=seed) as rig:
        rig.net.set("*", corrupt=10)
        for_a_while(10)
        rig.net.set("*", corrupt=0)
        time.sleep(SETTLE)
        before = {name: rig.drops(name) for name in rig.agents}
        rig.net.set("*", tamper=10)
        for_a_while(10)
        rig.net.clear()
        time.sleep(SETTLE)
        pairs = rig.net.counters()["pairs"].values()
        corrupted, tampered = sum(pair["corrupted"] for pair in pairs), sum(pair["tampered"] for pair in pairs)
        after = {name: rig.drops(name) for name in rig.agents}
        reasons = {reason: sum(after[name][reason] - before[name][reason] for name in rig.agents)
                   for reason in after["a"]}
        reasons = {reason: count for reason, count in reasons.items() if count}
        heard = {name: member.heard() for name, member in rig.members.items()}
        said = [beat for member in rig.members.values() for beat in member.said()]  # last: they go on beating
        wrong = [beat for beats in heard.values() for beat in altered(said, beats)]
        repeated = sum(duplicates(beats) for beats in heard.values())
        figure(f"corruption 10 %: {corrupted} packets corrupted, {tampered} tampered with, of which dropped: "
               f"{reasons}; {sum(map(len, heard.values()))} heartbeats injected, {len(wrong)} altered, "
               f"{repeated} twice, seed {seed}")
        check(corrupted > 50 and tampered > 50, "the network corrupts")
        check(not wrong, f"nothing altered is injected {wrong or ''}".rstrip())
        check(repeated == 0, "nothing is injected twice")
        check(sum(reasons.values()) == tampered, "each packet that was tampered with is counted")
        check(reasons.get("forged", 0) > tampered * 0.8, "as forged, but for damaged headers")
        silent = sum(rig.events(name, "peer_silent") for name in rig.agents)
        check(silent == 0, "no peer goes silent")


def stale(seed):
    """1.5 s of delay, both ways and then one way: what is older than max-age is not injected, however slow a way is."""
    with Rig(seed=seed) as rig:
        figures = []
        for pairs in ("*", "a->b"):
            rig.net.set(pairs, delay="1500ms")
            began, ended = for_a_while(15)
            time.sleep(SETTLE)
            rig.net.clear()
            time.sleep(SETTLE)
            late = said = 0
            for origin, receiver in rig.pairs():
                sent, got = rig.beats(origin, receiver, began, ended)
                times = {beat.alive: beat.time for beat in sent}
                said += len(sent)
                late += sum(beat.time - times[beat.alive] > MAX_AGE + SLACK for beat in got)
            figures.append(late)
            figure(f"delay 1.5 s on {pairs}: {late} of {said} heartbeats injected later than max-age, seed {seed}")
        check(not any(figures), "nothing older than max-age is injected")


def black_hole(seed):
    """max-datagram = auto: the path MTU is found, and what is too large for a way, 1000 or 1300, is no longer sent on it."""
    with Rig(seed=seed) as rig:
        for agent in rig.agents.values():
            with agent.config.open("a") as config:
                config.write("\n[relay]\nmax-datagram = auto\n")
            agent.reload()

        def mtu(of, seen_by):
            return next(peer["mtu_bytes"] for peer in rig.agents[seen_by].ask("peers")["peers"] if peer["name"] == of)

        eventually("the MTU of every path is known", lambda: all(
            mtu(receiver, origin) == 1500 for origin, receiver in rig.pairs()), timeout=60)
        # An agent tries some sizes: 1260 bytes is the largest of these that passes through 1300.
        holes = {"b": (1000, 1000), "c": (1300, 1260)}
        began = time.monotonic()
        for receiver, (size, _) in holes.items():
            rig.net.set(f"a->{receiver}", mtu=size)
        noticed = {}

        def look():
            noticed.update({receiver: time.monotonic() for receiver, (_, found) in holes.items()
                            if receiver not in noticed and mtu(receiver, "a") == found})
            return len(noticed) == len(holes)

        eventually("both black holes are noticed", look, timeout=90)
        ended = time.monotonic()
        time.sleep(SETTLE)
        for receiver, (size, found) in holes.items():
            said, heard = rig.beats("a", receiver, began, ended)
            figure(f"MTU hole at {size} a->{receiver}: noticed after {noticed[receiver] - began:.0f} s, {len(heard)} of {len(said)} "
                   f"heartbeats arrive meanwhile, seed {seed}")
            check(len(heard) == len(said), f"heartbeats to {receiver} go on all the time")
            check(mtu(receiver, "a") == found and rig.state(receiver, "a") in GOOD, "it is up, with what fits through")
        check(all(mtu(*pair) == 1500 for pair in (("a", "b"), ("c", "b"), ("a", "c"), ("b", "c"))), "the other ways keep theirs")
