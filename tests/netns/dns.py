"""A name server for the tests. Arguments: ADDRESS FILE; lines of FILE: NAME TTL ADDRESS..., or NAME
TTL srv TARGET:PORT... The file is read for each question; `servfail` as TTL fails, a name that is
not there does not exist. An answer that is too long for UDP is given by TCP."""
import socket
import struct
import sys
import threading

MOST_BY_UDP = 1200


def records(path):
    table = {}
    with open(path, encoding="ascii") as f:
        for line in f:
            words = line.split()
            if words:
                table[words[0]] = (words[1], words[2:])
    return table


def encoded(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def data_of(kind, words):
    """The data of the records of one kind, 1 A, 28 AAAA, 33 SRV."""
    if words[:1] == ["srv"]:
        pairs = [word.rsplit(":", 1) for word in words[1:]]
        return [struct.pack("!HHH", 0, 0, int(port)) + encoded(target)
                for target, port in pairs] if kind == 33 else []
    if kind not in (1, 28):
        return []
    family = socket.AF_INET6 if kind == 28 else socket.AF_INET
    return [socket.inet_pton(family, a) for a in words if (":" in a) == (kind == 28)]


def answer(query, table):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    question = query[12:at + 5]
    kind, = struct.unpack("!H", query[at + 1:at + 3])
    ttl, words = table.get(".".join(labels), (None, []))
    code = 3 if ttl is None else 2 if ttl == "servfail" else 0
    data = [] if code else data_of(kind, words)
    head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(data), 0, 0)
    body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, int(ttl), len(d)) + d for d in data)
    return head + question + body


def truncated(reply):
    """Its header and question, with the bit that says: ask by TCP."""
    at = 12
    while reply[at]:
        at += 1 + reply[at]
    return reply[:2] + bytes([reply[2] | 2]) + reply[3:6] + bytes(6) + reply[12:at + 5]


def serve_tcp(address, path):
    listener = socket.create_server((address, 53))
    while True:
        client, _ = listener.accept()
        with client, client.makefile("rb") as stream:
            while len(size := stream.read(2)) == 2:
                query = stream.read(struct.unpack("!H", size)[0])
                reply = answer(query, records(path))
                client.sendall(struct.pack("!H", len(reply)) + reply)


def main():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((sys.argv[1], 53))
    threading.Thread(target=serve_tcp, args=sys.argv[1:3], daemon=True).start()
    print("ready", flush=True)
    while True:
        query, client = s.recvfrom(2048)
        print(f"asked {client}", flush=True)
        reply = answer(query, records(sys.argv[2]))
        s.sendto(reply if len(reply) <= MOST_BY_UDP else truncated(reply), client)


main()
