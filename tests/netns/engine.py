"""A member of a Tribes cluster that behaves well and badly. Arguments: ENGINE_IP OWN_IP FOREIGN_IP PID"""
import os
import signal
import socket
import struct
import sys
import threading
import time

from tribes import ACK, GROUP, block

ENGINE, OWN, FOREIGN, PID = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
PORT = 4000
UNIQUE = bytes(range(16))
PROBE = bytes.fromhex("4fa77348798243c99f6f8980a15b07147dd9525bebf1439ab77ebe8f81671eb6"
                      "3715be87457e4ca8bf0a4d135338153255f694b73afa407891047dd77284c0d5")
RPC_CLASS = bytes.fromhex("aced00057372002b") + b"org.apache.catalina.tribes.group.RpcMessage" + bytes.fromhex(
    "712a750ff274e5090c00007870")
PATIENCE = 20


def check(what, ok):
    print(("ok: " if ok else "FAIL: ") + what, flush=True)
    if not ok:
        os._exit(1)


def beat(command=b"", alive=1000):
    body = struct.pack(">qiiib", alive, 4500, -1, -1, 4) + socket.inet_aton(OWN) + block(command) + block(b"")
    body += UNIQUE + block(b"")
    return b"TRIBES-B\1\0" + block(body) + b"TRIBES-E\1\0"


def frame(options, body=b"\xac\xed\0\5p", unique=None):
    data = struct.pack(">iq", options, int(time.time() * 1000)) + block(unique or os.urandom(16)) + block(beat()) + block(body)
    return b"FLT2002" + block(data) + b"TLF2003"


def request():
    return RPC_CLASS + b"\x77\x2b\0" + block(os.urandom(16)) + block(b"localhost#/app-map") + b"px"


def connect(source=OWN, receive_buffer=None):
    s = socket.socket()
    s.settimeout(PATIENCE)
    if receive_buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    s.bind((source, 0))
    s.connect((ENGINE, PORT))
    return s


def read(s, size):
    data = b""
    while len(data) < size:
        more = s.recv(size - len(data))
        if not more:
            break
        data += more
    return data


def closed(s):
    """Whether the other side ends the connection, having said nothing."""
    try:
        return s.recv(100) == b""
    except ConnectionError:
        return True


def served():
    with connect() as s:
        s.sendall(frame(2))
        return read(s, len(ACK)) == ACK


def acknowledgements():
    for options in range(16):
        with connect() as s:
            s.sendall(frame(options) + frame(2))
            s.shutdown(socket.SHUT_WR)
            expected = ACK * (1 + bool(options & 2))
            check(f"option {options}: {len(expected) // len(ACK) - 1} acknowledgement", read(s, 1000) == expected)
    with connect() as s:
        for byte in frame(6):
            s.sendall(bytes([byte]))
        check("a frame that comes byte by byte", read(s, len(ACK)) == ACK)
        s.sendall(frame(6) * 50)
        check("fifty frames at once", read(s, 50 * len(ACK)) == 50 * ACK)
        s.sendall(frame(6) * 2 + b"GET / HTTP/1.1\r\n\r\n")
        check("frames before rubbish are answered", read(s, 1000) == ACK * 2)
    with connect() as s:
        s.sendall(frame(3, PROBE))
        check("a probe that reads", read(s, len(ACK)) == ACK)
    with connect() as s:
        s.sendall(frame(1, PROBE))
    check("a probe that does not", served())


def late_reader():
    """Its acknowledgements fill what the kernel holds for it."""
    count = 20000
    with connect(receive_buffer=4096) as s:
        sender = threading.Thread(target=s.sendall, args=(frame(6) * count,))
        sender.start()
        time.sleep(1)
        check("others are served while a member does not read", served())
        check("and it is answered all when it does", read(s, count * len(ACK)) == count * ACK)
        sender.join()


def rubbish():
    good = frame(6)
    wrong = {"HTTP": b"GET / HTTP/1.1\r\n\r\n", "a wrong end": good[:-1] + b"4",
             "too large": b"FLT2002" + struct.pack(">i", 65537), "a negative size": b"FLT2002\xff\xff\xff\xff",
             "an acknowledgement": ACK, "no sender": b"FLT2002" + block(struct.pack(">iqiii", 6, 0, 0, 0, 0)) + b"TLF2003"}
    for name, data in wrong.items():
        with connect() as s:
            s.sendall(data)
            check(f"{name}: closed", closed(s))
    with connect(FOREIGN) as s:
        check("an address that is not allowed: closed", closed(s))
    check("others are served", served())


def crowd():
    lingering = [connect() for _ in range(32)]
    for s in lingering:
        s.sendall(frame(2))
        if read(s, len(ACK)) != ACK:
            check("32 connections are served", False)
    with connect() as s:
        check("the 33rd is closed", closed(s))
    # Half a message each, of more together than there is room for.
    for s in lingering:
        try:
            s.sendall(b"FLT2002" + struct.pack(">i", 65536) + b"x" * 60000)
        except ConnectionError:
            pass
    time.sleep(0.5)
    ended = 0
    for s in lingering:
        s.setblocking(False)
        try:
            ended += s.recv(1) == b""
        except BlockingIOError:
            pass
        except ConnectionError:
            ended += 1
    check(f"receive-memory: {ended} of 32 unfinished messages are given up, not all", 8 <= ended < 32)
    for s in lingering:
        s.close()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if served():
                break
        except ConnectionError:
            time.sleep(0.1)
    check("when they are gone, others are served", served())


def calls():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((OWN, 4500))
    listener.listen(20)
    listener.settimeout(PATIENCE)
    with connect() as s:
        for n in range(5):
            s.sendall(frame(2, request()))
            check_quiet(read(s, len(ACK)) == ACK, "a call is acknowledged")
            reply, _ = listener.accept()
            reply.settimeout(PATIENCE)
            head = read(reply, 11)
            data = read(reply, struct.unpack(">i", head[7:])[0] + 7)
            check_quiet(head[:7] == b"FLT2002" and b"NoRpcChannelReply" in data, "a call is answered")
            # A member that goes away: the next answer must not go into this connection.
            reply.close()
            time.sleep(0.1)
    check("5 calls that nobody serves: 5 answers, each on a connection that stands", True)
    return listener


def check_quiet(ok, what):
    if not ok:
        check(what, False)


def heartbeats(listener):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(GROUP)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP[0]) + socket.inet_aton(OWN))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(OWN))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    s.settimeout(PATIENCE)
    seen, source = s.recvfrom(65536)
    check("its heartbeat comes from the group's port", source == (ENGINE, GROUP[1]))
    host, port = seen[35:39], struct.unpack(">i", seen[22:26])[0]
    check("and announces where it listens", (host, port) == (socket.inet_aton(ENGINE), PORT))
    check("there is nobody whose sessions it lacks: it says its age", struct.unpack(">q", seen[14:22])[0] >= 1000)
    for bad in (b"", b"TRIBES-B\1\0", beat()[:-1], b"TRIBES-B\1\0\x7f\xff\xff\xff" + beat()[14:], os.urandom(60000)):
        s.sendto(bad, GROUP)
    s.sendto(beat(), GROUP)
    probe, _ = listener.accept()
    probe.settimeout(PATIENCE)
    check("a new member is probed", PROBE in read(probe, 1000))
    probe.close()
    s.sendto(beat(), GROUP)
    time.sleep(0.3)
    s.sendto(beat(b"BABY-ALEX"), GROUP)
    return s


def flood(group):
    before = memory()
    for n in range(20000):
        group.sendto(os.urandom(20) if n % 2 else beat()[:-1] + bytes([n % 256]), GROUP)
        if n % 200 == 0:
            try:
                with connect() as s:
                    s.sendall(os.urandom(1000))
            except OSError:
                pass
    check("20000 forged datagrams and 100 connections: others are served", served())
    check(f"in bounded memory: {before} to {memory()} KiB", memory() < before + (32 << 10))


def memory():
    with open(f"/proc/{PID}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def goodbye(group):
    os.kill(PID, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if b"BABY-ALEX" in group.recv(65536):
            return check("its goodbye is heard", True)
    check("its goodbye is heard", False)


acknowledgements()
late_reader()
rubbish()
crowd()
listener_ = calls()
group_ = heartbeats(listener_)
flood(group_)
goodbye(group_)
