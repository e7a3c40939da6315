"""A name server for the tests. Arguments: ADDRESS FILE; lines of FILE: NAME TTL ADDRESS... The file
is read for each question; `servfail` as TTL fails, a name that is not there does not exist."""
import socket
import struct
import sys


def records(path):
    table = {}
    with open(path, encoding="ascii") as f:
        for line in f:
            words = line.split()
            if words:
                table[words[0]] = (words[1], words[2:])
    return table


def answer(query, table):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    question = query[12:at + 5]
    kind, = struct.unpack("!H", query[at + 1:at + 3])
    ttl, addresses = table.get(".".join(labels), (None, []))
    family, size = (socket.AF_INET6, 16) if kind == 28 else (socket.AF_INET, 4)
    data = [socket.inet_pton(family, a) for a in addresses if (":" in a) == (kind == 28)]
    code = 3 if ttl is None else 2 if ttl == "servfail" else 0
    if kind not in (1, 28) or code:
        data = []
    head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(data), 0, 0)
    body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, int(ttl), size) + d for d in data)
    return head + question + body


def main():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((sys.argv[1], 53))
    print("ready", flush=True)
    while True:
        query, client = s.recvfrom(2048)
        print(f"asked {client}", flush=True)
        s.sendto(answer(query, records(sys.argv[2])), client)


main()
