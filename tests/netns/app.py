"""The applications of the tests: sends to and listens to multicast groups, as any program may.

listen GROUP PORT IF[,IF] [--all 0|1] [--seconds S]   prints `got SOURCE:PORT BYTES` per datagram
send GROUP PORT IF [--ttl N] [--loop 0|1] [--count N] [--size N] [--gso N] [--every SECONDS]
"""
import argparse
import socket
import struct
import sys
import time

UDP_SEGMENT = 103
IP_MULTICAST_ALL = 49


def membership(group, interface):
    index = socket.if_nametoindex(interface)
    return struct.pack("=4s4si", socket.inet_aton(group), b"\0" * 4, index)


def listen(args):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, args.all)
    s.bind(("", args.port))
    for interface in args.interface.split(","):
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     membership(args.group, interface))
    print("ready", flush=True)
    while True:
        data, (address, port) = s.recvfrom(65535)
        whole = all(b == data[0] for b in data[::997]) if data else True
        print(f"got {address}:{port} {len(data)}{'' if whole else ' damaged'}", flush=True)


def send(args):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, membership(args.group, args.interface))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, args.ttl)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, args.loop)
    if args.gso:
        s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, args.gso)
    for _ in range(args.count):
        s.sendto(b"m" * args.size, (args.group, args.port))
        time.sleep(args.every)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("verb", choices=["listen", "send"])
    p.add_argument("group")
    p.add_argument("port", type=int)
    p.add_argument("interface")
    p.add_argument("--all", type=int, default=1)
    p.add_argument("--ttl", type=int, default=1)
    p.add_argument("--loop", type=int, default=1)
    p.add_argument("--count", type=int, default=1)
    p.add_argument("--size", type=int, default=100)
    p.add_argument("--gso", type=int, default=0)
    p.add_argument("--every", type=float, default=0)
    args = p.parse_args()
    {"listen": listen, "send": send}[args.verb](args)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
