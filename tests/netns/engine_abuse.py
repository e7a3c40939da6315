"""Members that read nothing, 10,000 forged and cut frames a second, hostile streams: a good member beside them is served."""
import multiprocessing
import os
import random
import shutil
import socket
import time

from engines import LONG, SEED, Engine, Load, check, check_quietly, eventually, figure, running, say
from hostile import Flood, call, grown, streams
from tribes import ACK, GET_ALL, PATIENCE, Link, Tomcat, read, session_message

SECONDS = 60 if LONG else 4
A_SECOND = 10_000
PROCESSES = 2
LIMITS = """memory-limit = 64m
[limits]
max-message = 4m
receive-memory = 16m
send-memory = 1m
"""
# Of the limits above and of what the sanitizers keep. Less than one of these attacks takes where nothing bounds it.
MOST_KIB = 200 << 10


def served(load, what, number=50):
    """The good member goes on while something bad is under way, and each of its messages is acknowledged."""
    before = load.total(True)
    check(f"{what}: others are served", eventually(lambda: load.total(True) >= before + number, 2 * PATIENCE))
    check_quietly("each message of a good member is acknowledged", load.total(False) == 0 and load.total(None) == 0)


def bounded(engine, what, before):
    after = engine.resident_kib()
    figure(f"{what}: {before >> 10} to {after >> 10} MiB")
    check(f"{what}: memory is bounded", after < before + MOST_KIB)


def slow_members(engine, load):
    """They ask for all there is, or for what nobody has, and never read an answer."""
    before = engine.resident_kib()
    slow = [Tomcat("10.1.0.11", reads=False) for _ in range(4)]
    check("slow members: they are members", eventually(lambda: all(engine.count(f"member_came: 10.1.0.11:{s.port}") for s in slow)))
    answers = 0
    for member in slow:
        with socket.create_connection(engine.at, PATIENCE) as connection:
            connection.sendall(member.frame(session_message(GET_ALL, "GET-ALL"), 8))
            for _ in range(40):
                connection.sendall(b"".join(member.frame(call(), 8) for _ in range(250)))
                answers += 250
            connection.sendall(member.frame(call(), 2))
            connection.settimeout(PATIENCE)
            check_quietly("they are acknowledged", read(connection, len(ACK)) == ACK)
    served(load, f"{answers} answers that four members do not read")
    bounded(engine, f"slow members, send-memory 1 MiB each, {answers} answers", before)
    started = engine.sessions("10.1.0.10")[0]
    check(f"slow members: one that starts is given {len(started)} sessions", len(started) >= 20)
    for member in slow:
        member.leave()


def flood_from(address, engine, seed, count, done):
    flood = Flood(address, engine, seed)
    flood.mangle(count // 4)
    flood.forge(count - count // 4)
    done.put(flood.sent)


def forged(engine, load):
    before = engine.resident_kib()
    count = A_SECOND * SECONDS // PROCESSES
    done = multiprocessing.Queue()
    began = time.monotonic()
    senders = [multiprocessing.Process(target=flood_from, args=("10.1.0.11", engine.at, SEED + i, count, done), daemon=True)
               for i in range(PROCESSES)]
    for sender in senders:
        sender.start()
    served(load, "forged and cut frames")
    sent = sum(done.get() for _ in senders)
    took = time.monotonic() - began
    for sender in senders:
        sender.join()
    check(f"{sent} forged and cut frames were sent", sent == A_SECOND * SECONDS)
    figure(f"forged and cut frames: {sent / took:.0f} a second")
    served(load, "after them")
    bounded(engine, f"{sent} forged and cut frames", before)
    check(f"its log stays short: {os.path.getsize(engine.log)} bytes", os.path.getsize(engine.log) < 1 << 20)


def hostile(engine, load):
    before = engine.resident_kib()
    flood = Flood("10.1.0.11", engine.at, SEED)
    bodies = streams()
    for name, body in bodies.items():
        check_quietly(f"{name}: acknowledged, refused or closed", flood.ask(flood.member.frame(body)) is not None)
    check(f"{len(bodies)} hostile streams have come to an end", True)
    served(load, "after them")
    bounded(engine, f"{len(bodies)} hostile streams of up to 4 MB", before)


def remembered(engine, load):
    before = engine.resident_kib()
    rng = random.Random(SEED)
    flood = Flood("10.1.0.11", engine.at, SEED)
    for _ in range(300):
        for frame in grown(flood.member, rng):
            check_quietly("it is acknowledged, refused or closed", flood.ask(frame) is not None)
    served(load, "900 MB of names, ids and senders")
    bounded(engine, "900 MB of names, ids and senders", before)


say(f"TRIBECAST_SEED={SEED}")
Link.TIMEOUT = PATIENCE  # each message has its answer, however busy the machine
engine_ = Engine("a", "10.1.0.1", "disk", LIMITS)
with running(engine_):
    engine_.start()
    load_ = Load([engine_], writers=2)
    load_.start()
    served(load_, "at first")
    for attack in (slow_members, hostile, remembered, forged):
        attack(engine_, load_)
    load_.stop()
    values_, given_ = engine_.sessions("10.1.0.10")
    wrong_ = load_.wrong(values_, given_)
    check("all that was acknowledged is there" + "".join("\n  " + line for line in wrong_[:5]), not wrong_)
    engine_.stop()
shutil.rmtree(engine_.directory)
