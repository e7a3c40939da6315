"""Everything that a client of the control socket should not do. Argument: PATH"""
import os
import socket
import sys
import threading
import time

PATH = sys.argv[1]


def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(20)
    s.connect(PATH)
    return s


def line(s):
    data = b""
    while not data.endswith(b"\n"):
        seen = s.recv(65536, socket.MSG_PEEK)
        if not seen:
            return None
        end = seen.find(b"\n") + 1
        data += s.recv(end or len(seen))
    return data.decode().rstrip("\n")


def ask(text):
    with connect() as s:
        s.sendall(text.encode() + b"\n")
        return line(s)


def check(what, ok):
    print(("ok: " if ok else "FAIL: ") + what, flush=True)
    if not ok:
        os._exit(1)


def closed(s, seconds):
    """Whether the other side closes within the time; and when."""
    s.settimeout(seconds)
    begin = time.monotonic()
    try:
        while s.recv(65536):
            pass
    except (ConnectionError, BrokenPipeError):
        pass
    except socket.timeout:
        return None
    return time.monotonic() - begin


def ordinary():
    check("an answer", ask("echo hello") == "hello")
    check("who asks", ask("who") == f"{os.getuid()} {os.getgid()}")
    with connect() as s:
        s.sendall(b"echo a\necho b\r\nlater 50 c\necho d\n")
        check("several requests, in order", [line(s) for _ in range(4)] == ["a", "b", "c", "d"])
        s.sendall(b"twice e\necho f\n")
        check("one answer each", [line(s), line(s)] == ["e", "f"])
        s.sendall(b"echo g")
        time.sleep(0.1)
        s.sendall(b"h\n")
        check("a line in parts", line(s) == "gh")
    with connect() as s:
        s.sendall(b"later 200 i\n")
        s.shutdown(socket.SHUT_WR)
        check("a client that ended its own side is answered", line(s) == "i")
    with connect() as s:
        s.sendall(b"drop\n")
        check("no answer: closed", closed(s, 2) is not None)
    check("a large answer", len(ask("big 5000000")) == 5000000)
    check("the longest line", ask("echo " + "x" * 4091) == "x" * 4091)


def too_long():
    with connect() as s:
        try:
            s.sendall(b"x" * (1 << 20))
        except (ConnectionError, BrokenPipeError):
            pass
        check("1 MB without a line end is cut", closed(s, 5) is not None)
    check("binary rubbish", ask("\0\x01\xff echo") is None)


def crowd():
    clients = [connect() for _ in range(200)]
    for s in clients:
        s.sendall(b"echo here\n")
    for s in clients[:64]:
        check_quiet(line(s) == "here", "the first 64 are served")
    clients[64].settimeout(0.3)
    try:
        extra = clients[64].recv(10)
    except socket.timeout:
        extra = b""
    check("the 65th waits", extra == b"")
    served = 64
    for s in clients[:64]:
        s.close()
    for s in clients[64:]:
        check_quiet(line(s) == "here", "those who wait are served when others leave")
        served += 1
        s.close()
    check("200 clients, all served in the end", served == 200)


def check_quiet(ok, what):
    if not ok:
        check(what, False)


def hung_up():
    for _ in range(100):
        s = connect()
        s.sendall(b"hold\n")
        s.close()
    time.sleep(0.3)
    check("clients that hung up are forgotten", "clients=1" in ask("counters"))


def patience():
    results = {}

    def idle():
        with connect() as s:
            s.sendall(b"echo unfinish")
            results["idle"] = closed(s, 20)

    def trickle():
        with connect() as s:
            begin = time.monotonic()
            try:
                while time.monotonic() - begin < 20:
                    s.sendall(b"x")
                    time.sleep(0.5)
            except (ConnectionError, BrokenPipeError):
                pass
            results["trickle"] = time.monotonic() - begin

    def slow():
        with connect() as s:
            s.sendall(b"big 50000000\n")
            begin = time.monotonic()
            got = 0
            while time.monotonic() - begin < 12:
                got += len(s.recv(1000))
                time.sleep(0.2)
            try:
                while part := s.recv(1 << 20):
                    got += len(part)
            except (ConnectionError, BrokenPipeError):
                pass
            check("slow reader: the rest was not sent", got < 1000000)
            results["slow"] = time.monotonic() - begin

    threads = [threading.Thread(target=f) for f in (idle, trickle, slow)]
    for t in threads:
        t.start()
    time.sleep(1)
    check("meanwhile others are served", ask("echo still") == "still")
    for t in threads:
        t.join()
    for what, seconds in results.items():
        check(f"{what}: cut after about 10 s", seconds is not None and 9 < seconds < 14)


ordinary()
too_long()
crowd()
hung_up()
patience()
counters = ask("counters")
check(f"all is counted: {counters}", "long=1 " in counters and "slow=1 " in counters)
