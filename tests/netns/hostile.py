"""What a member should not send: forged and cut frames, and Java streams made to be costly."""
import os
import random
import socket
import struct

from tribes import (ACK, ALL_DATA, CONTEXT, DELTA, EXPIRED, HEADER, PATIENCE, Member, block, class_of, integer, read,
                    session_message, string, utf)

RPC = HEADER + b"\x73\x72" + utf("org.apache.catalina.tribes.group.RpcMessage") + bytes.fromhex("712a750ff274e5090c00007870")
BEGIN, END = b"FLT2002", b"TLF2003"
BIG = 0x7fffffff


def call(channel=b"localhost#/app-map"):
    """A remote call that nobody serves: it is answered."""
    return RPC + b"\x77" + bytes([25 + len(channel)]) + b"\0" + block(os.urandom(16)) + block(channel) + b"px"


def long_string(text):
    return b"\x7c" + struct.pack(">q", len(text)) + text


def named(context, session):
    """A session message whose names are of any length."""
    body = session_message(EXPIRED, "S")
    return body.replace(string(CONTEXT), long_string(context)).replace(string("S"), long_string(session))


def nested(depth):
    """Arrays of one array."""
    first = b"\x75" + class_of("[[", 1) + b"\0\0\0\1"
    return HEADER + first + (b"\x75\x71\0\x7e\0\0\0\0\0\1") * (depth - 1) + b"\x70"


def heirs(depth):
    """A class whose super classes go on and on."""
    return HEADER + (b"\x72\0\1A" + bytes(7) + b"\1\2\0\0\x78") * depth + b"\x70"


def shared(references, size):
    """A delta of many attributes that are all one large value."""
    def head(first):
        start = utf("S") + b"\0" + struct.pack(">i", references) if first else b""
        data = start + struct.pack(">ii", 0, 0) + utf("n") + b"\1"
        return b"\x77" + bytes([len(data)]) + data
    # The first handle of the stream is the value.
    return HEADER + head(True) + b"\x74" + struct.pack(">H", size) + b"x" * size + (head(False) + b"\x71\0\x7e\0\0") * (references - 1)


def records(count, content=b""):
    """A list of sessions that announces so many."""
    return HEADER + integer(count) + content


def streams():
    """Bodies, by name. The frames around them are good."""
    bomb = HEADER + b"\x74\0\0" * 1_300_000
    many_fields = HEADER + b"\x72\0\1A" + bytes(7) + b"\1\2\xff\xff" + b"I\0\1f" * 65535 + b"\x78\x70"
    deltas = {
        "deep": nested(9_000), "too deep": nested(300_000), "super classes": heirs(100_000), "a handle each": bomb,
        "nulls": HEADER + b"\x70" * 3_900_000, "fields": many_fields, "one value, shared": shared(5_000, 60_000),
        "a count of actions": HEADER + b"\x77\x08" + utf("S") + b"\0" + struct.pack(">i", BIG),
        "an array of 2 GB": HEADER + b"\x75" + class_of("[B", 1) + struct.pack(">i", BIG),
        "an array of 2 G values": HEADER + b"\x75" + class_of("[[", 1) + struct.pack(">i", BIG),
        "a negative array": HEADER + b"\x75" + class_of("[B", 1) + b"\xff\xff\xff\xff",
        "a string of 2^62": HEADER + b"\x7c\x40" + bytes(7), "a block of 2 GB": HEADER + b"\x7a\x7f\xff\xff\xff",
        "proxies": HEADER + b"\x7d\x7f\xff\xff\xff", "itself": HEADER + b"\x71\0\x7e\0\0", "nothing": b"", "a header": HEADER,
    }
    bodies = {"delta: " + name: session_message(DELTA, "S", data) for name, data in deltas.items()}
    bodies |= {"list: " + name: session_message(ALL_DATA, "S", data) for name, data in deltas.items()}
    bodies |= {"list of 2^31 - 1": session_message(ALL_DATA, "S", records(BIG)),
               "list of -1": session_message(ALL_DATA, "S", records(-1))}
    bodies |= {"bare: " + name: data for name, data in deltas.items()}
    bodies |= {"call: " + name: call() [:-1] + data[4:] for name, data in deltas.items()}
    bodies |= {"context of 1 MB": named(os.urandom(500_000).hex().encode(), b"S"),
               "id of 1 MB": named(CONTEXT.encode(), b"A" * 1_000_000)}
    return bodies


def grown(member, rng):
    """Frames of which something is kept by design, each time as large as can be: ids, senders."""
    message = session_message(EXPIRED, f"{rng.getrandbits(128):032X}")
    sender = member.block()
    large = b"x" * 1_000_000
    loud = sender[:10] + block(sender[14:-14] + block(large)) + sender[-10:]
    for unique, who, body in ((os.urandom(1_000_000), sender, message), (os.urandom(16), loud, message),
                              (os.urandom(16), sender, named(os.urandom(500_000).hex().encode(), b"S"))):
        data = struct.pack(">iq", 6, rng.getrandbits(40)) + block(unique) + block(who) + block(body)
        yield BEGIN + block(data) + END


def mangled(frame, rng):
    """Cut, or with something wrong that ends its connection."""
    at = rng.randrange(len(frame))
    kind = rng.randrange(6)
    if kind == 0:
        return frame[:at]
    if kind == 1:
        return BEGIN + struct.pack(">I", rng.getrandbits(32)) + frame[11:]
    if kind == 2:
        return frame[:at] + bytes([frame[at] ^ (1 << rng.randrange(8))]) + frame[at + 1:]
    if kind == 3:
        return rng.randbytes(rng.randrange(1, 400))
    if kind == 4:
        return frame[:at] + rng.randbytes(8) + frame[at:]
    # A wrong length inside.
    return frame[:23] + struct.pack(">I", rng.getrandbits(32)) + frame[27:]


class Flood:
    """Sends all that from one address, as fast as it is taken."""

    def __init__(self, address, engine, seed):
        self.member, self.engine = Member(address), engine
        self.rng = random.Random(seed)
        self.good = self.member.frame(session_message(DELTA, "S", b"x" * 100), 8)
        self.sent = 0

    def connect(self):
        return socket.create_connection(self.engine, PATIENCE)

    def ask(self, frame):
        """Waits for what becomes of it: an answer, or the end of the connection."""
        try:
            with self.connect() as connection:
                connection.sendall(frame)
                return read(connection, len(ACK))
        except socket.timeout:
            return None
        except OSError:
            return b""

    def send(self, data):
        try:
            with self.connect() as connection:
                # It goes at once, and leaves no port behind that waits.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(data)
        except OSError:
            pass
        self.sent += 1

    def mangle(self, count):
        for _ in range(count):
            self.send(mangled(self.good, self.rng))

    def forge(self, count):
        """Good frames on one connection, of a sender, an id and a body that mean nothing."""
        with self.connect() as connection:
            for _ in range(count // 100):
                connection.sendall(b"".join(self.member.frame(self.rng.randbytes(40), 8) for _ in range(100)))
                self.sent += 100
