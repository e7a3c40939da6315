"""Many members of a group on one host, and what they hear of those on the other: crowd.py RATE MEMBERS.

The members of this host say RATE heartbeats a second together, each in its turn, numbered by their alive time. Each line of
standard input is answered with one line of JSON, about the time since the line before:

    {"sent": N, "members": N,          said here; members of other hosts that were heard at any time
     "lost": N, "heard": N,            heartbeats of others: numbers that were passed over; those that came
     "silence_seconds": S}             the longest time in which one of them was not heard
"""
import json
import pathlib
import select
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "netns"))

from tomcat import GROUP, address_of, heartbeat, told  # noqa: E402

INTERFACE = "eth0"
FIRST_PORT = 4000


def group_socket():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.bind(("", GROUP[1]))
    member = struct.pack("=4s4si", socket.inet_aton(GROUP[0]), b"\0" * 4, socket.if_nametoindex(INTERFACE))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, member)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    s.setblocking(False)
    return s


class Heard:
    """What is heard of the members of other hosts."""

    def __init__(self):
        self.members = {}  # name -> (number, when)
        self.begin_anew()

    def begin_anew(self):
        self.heard = self.lost = 0
        self.silence = 0.0

    def note(self, datagram, now):
        _, member, number = told(datagram)
        last, when = self.members.get(member, (number - 1, now))
        if number <= last:
            return  # twice, or late: not lost after all, but no member is kept alive by it
        self.heard += 1
        self.lost += number - last - 1
        self.silence = max(self.silence, now - when)
        self.members[member] = number, now

    def longest_silence(self, now):
        return max([self.silence, *(now - when for _, when in self.members.values())])


class Crowd:
    def __init__(self, rate, count):
        self.socket = group_socket()
        self.interval = 1 / rate
        host = address_of(INTERFACE)
        self.members = [(host, FIRST_PORT + i, f"{host}-{i}".encode().ljust(16, b"-")[:16]) for i in range(count)]
        self.said = self.sent = 0
        self.heard = Heard()

    def say_one(self):
        host, port, identity = self.members[self.said % len(self.members)]
        self.socket.sendto(heartbeat(host, port, identity, 1 + self.said // len(self.members)), GROUP)
        self.said += 1
        self.sent += 1

    def hear_all(self):
        try:
            while True:
                self.heard.note(self.socket.recv(65535), time.monotonic())
        except BlockingIOError:
            pass

    def report(self):
        heard = self.heard
        print(json.dumps({"sent": self.sent, "members": len(heard.members), "lost": heard.lost, "heard": heard.heard,
                          "silence_seconds": heard.longest_silence(time.monotonic())}), flush=True)
        self.sent = 0
        heard.begin_anew()

    def run(self):
        due = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= due:
                self.say_one()
                due = max(due + self.interval, now - 0.05)  # a process that fell behind makes no burst
                continue
            ready = select.select([self.socket, sys.stdin], [], [], due - now)[0]
            if self.socket in ready:
                self.hear_all()
            if sys.stdin in ready:
                if not sys.stdin.readline():
                    return
                self.report()


if __name__ == "__main__":
    Crowd(float(sys.argv[1]), int(sys.argv[2])).run()
