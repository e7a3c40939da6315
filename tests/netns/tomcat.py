"""A stand-in for a Tomcat's membership: beats in the group and lists what it hears, one line each.

tomcat.py IF [--port N] [--host ADDRESS] [--every SECONDS] [--count N] [--goodbye] [--id TEXT] [--listen] [--listen-on ADDRESS]
          [--domain TEXT] [--trace]

Prints `ready`, then `heard HOST:PORT ALIVE` or `left HOST:PORT ALIVE` for each heartbeat of another
member. --count 0 only listens; after --count beats it goes on listening. With --listen its TCP port
is open, as a Tomcat's receiver; with --listen-on at that address. --trace adds lines `sent HOST:PORT ALIVE` or `said-goodbye ...`, and
to all the datagram's checksum and the monotonic time.
"""
import argparse
import collections
import fcntl
import select
import socket
import struct
import time
import zlib

GROUP = ("228.0.0.4", 45564)
BEGIN, END, SHUTDOWN = b"TRIBES-B\x01\x00", b"TRIBES-E\x01\x00", b"BABY-ALEX"
SIOCGIFADDR = 0x8915


def address_of(interface):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("256s", interface.encode())
        return socket.inet_ntoa(fcntl.ioctl(s.fileno(), SIOCGIFADDR, request)[20:24])


def heartbeat(host, port, unique_id, alive, command=b"", domain=b""):
    body = struct.pack(">QiiiB4sI", alive, port, -1, -1, 4, socket.inet_aton(host), len(command))
    body += command + struct.pack(">I", len(domain)) + domain + unique_id + struct.pack(">I", 0)
    return BEGIN + struct.pack(">I", len(body)) + body + END


def told(datagram):
    alive, port = struct.unpack_from(">Qi", datagram, 14)
    host = socket.inet_ntoa(datagram[35:39])
    size, = struct.unpack_from(">I", datagram, 39)
    return ("left" if datagram[43:43 + size] == SHUTDOWN else "heard"), f"{host}:{port}", alive


def options():
    p = argparse.ArgumentParser()
    p.add_argument("interface")
    p.add_argument("--port", type=int, default=4000)
    p.add_argument("--host")
    p.add_argument("--every", type=float, default=0.5)
    p.add_argument("--count", type=int, default=1 << 30)
    p.add_argument("--goodbye", action="store_true")
    p.add_argument("--id")
    p.add_argument("--listen", action="store_true")
    p.add_argument("--listen-on")
    p.add_argument("--domain", default="")
    p.add_argument("--trace", action="store_true")
    return p.parse_args()


def main():
    args = options()
    own = args.host or address_of(args.interface)
    unique_id = (args.id or f"{own}:{args.port}").encode().ljust(16, b"-")[:16]

    receiver = socket.create_server((args.listen_on or own, args.port)) if args.listen or args.listen_on else None
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.IPPROTO_IP, 49, 0)  # IP_MULTICAST_ALL, as Java does
    s.bind(("", GROUP[1]))
    index = socket.if_nametoindex(args.interface)
    member = struct.pack("=4s4si", socket.inet_aton(GROUP[0]), b"\0" * 4, index)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, member)
    print("ready", flush=True)

    def say(datagram, words):
        now = time.monotonic()
        print(*words, *([zlib.crc32(datagram), f"{now:.6f}"] if args.trace else []), flush=True)

    alive = -1

    def beat(now, command=b""):
        nonlocal alive
        alive = max(alive + 1, int(now * 1000))  # no two alike, even when this process fell behind
        datagram = heartbeat(own, args.port, unique_id, alive, command, args.domain.encode())
        if args.trace:
            say(datagram, ("said-goodbye" if command else "sent", *told(datagram)[1:]))
        send(s, datagram)

    kept = collections.deque(maxlen=64)
    started = time.monotonic()
    beats = 0
    goodbye = args.goodbye
    while True:
        now = time.monotonic() - started
        if beats < args.count and now >= beats * args.every:
            beats += 1
            beat(now)
            continue
        if beats >= args.count and goodbye:
            goodbye = False
            beat(now, SHUTDOWN)
        wait = beats * args.every - now if beats < args.count else 3600
        ready = select.select([s, receiver] if receiver else [s], [], [], max(0.0, wait))[0]
        if receiver in ready:
            # As a Tomcat it does not end a connection by itself.
            kept.append(receiver.accept()[0])
        if s in ready:
            datagram = s.recv(65535)
            if unique_id not in datagram:
                say(datagram, told(datagram))


def send(s, datagram):
    try:
        s.sendto(datagram, GROUP)
    except OSError as error:  # no route at the moment
        print("not sent:", error, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
