"""What a Tomcat with a DeltaManager says and hears, byte by byte, and a member of a cluster that is none.

Values are Strings like "<ID 17>": they are found in what an engine sends without reading Java streams.
"""
import os
import re
import socket
import struct
import threading
import time

GROUP = ("228.0.0.4", 45564)
CONTEXT = "localhost#/faults"
ACK = b"FLT2002\0\0\0\3\x06\x02\x03TLF2003"
REFUSAL = b"FLT2002\0\0\0\3\x0b\x00\x05TLF2003"
CREATED, EXPIRED, ACCESSED, GET_ALL, ALL_DATA, DELTA, COMPLETE = 1, 2, 3, 4, 12, 13, 14
PATIENCE = 120  # for what must come, on a machine that is busy
VALUE = re.compile(rb"<([0-9A-F]{32}) ([0-9]+)>")

HEADER = b"\xac\xed\0\5"


def block(data):
    return struct.pack(">i", len(data)) + data


def utf(text):
    return struct.pack(">H", len(text)) + text.encode()


def string(text):
    return b"\x74" + utf(text)


def class_of(name, uid, fields=b"", count=0, above=b"\x70"):
    return b"\x72" + utf(name) + uid.to_bytes(8, "big") + b"\x02" + struct.pack(">H", count) + fields + b"\x78" + above


def integer(value):
    number = class_of("java.lang.Number", 0x86ac951d0b94e08b)
    return b"\x73" + class_of("java.lang.Integer", 0x12e2a0a4f7818738, b"I" + utf("value"), 1, number) + struct.pack(">i", value)


def byte_array(data):
    return b"\x75" + class_of("[B", 0xacf317f8060854e0) + block(data)


MESSAGE = HEADER + b"\x73" + class_of(
    "org.apache.catalina.ha.session.SessionMessageImpl", 2,
    b"I" + utf("mEvtType") + b"J" + utf("serializationTimestamp") + b"Z" + utf("timestampSet") +
    b"L" + utf("mContextName") + string("Ljava/lang/String;") + b"[" + utf("mSession") + string("[B") +
    b"L" + utf("mSessionID") + string("Ljava/lang/String;") + b"L" + utf("uniqueId") + string("Ljava/lang/String;"), 7,
    class_of("org.apache.catalina.ha.ClusterMessageBase", 1, b"J" + utf("timestamp"), 1)) + bytes(8)


def session_message(event, session, payload=None, at=None):
    """at: its time in milliseconds."""
    data = b"\x70" if payload is None else byte_array(payload)
    moment = int(time.time() * 1000) if at is None else at
    return MESSAGE + struct.pack(">iqb", event, moment, 1) + string(CONTEXT) + data + string(session) + string(session)


def delta(session, number, padding=0):
    """What sets its attribute `n` to that number."""
    head = utf(session) + b"\0" + struct.pack(">iii", 1, 0, 0) + utf("n") + b"\1"
    return HEADER + b"\x77" + bytes([len(head)]) + head + string(f"<{session} {number}>" + "." * padding)


def event_of(body):
    """Which event a session message is; None for something else."""
    at = body.find(b"timestampxp")
    return struct.unpack(">i", body[at + 19:at + 23])[0] if at >= 0 else None


def values_in(body):
    return {session.decode(): int(number) for session, number in VALUE.findall(body)}


def read(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data


def read_frame(connection):
    """Options, the sender's address and port, and the body of the next message."""
    head = read(connection, 11)
    if head[:7] != b"FLT2002":
        raise ConnectionError("no frame")
    data = read(connection, struct.unpack(">i", head[7:])[0] + 7)
    at, parts = 12, []
    for _ in range(3):
        size = struct.unpack(">i", data[at:at + 4])[0]
        parts.append(data[at + 4:at + 4 + size])
        at += 4 + size
    sender = parts[1]
    where = (socket.inet_ntoa(sender[35:39]), struct.unpack(">i", sender[22:26])[0])
    return struct.unpack(">i", data[:4])[0], where, parts[2]


class Member:
    """Somebody with an address and a port that messages are sent from and answers come to."""

    def __init__(self, address):
        self.listener = socket.create_server((address, 0), backlog=50)
        self.address, self.port = self.listener.getsockname()
        self.unique_id = os.urandom(16)
        self.born = time.time()

    def block(self, command=b""):
        alive = int((time.time() - self.born) * 1000)
        body = struct.pack(">qiiib", alive, self.port, -1, -1, 4) + socket.inet_aton(self.address)
        body += block(command) + block(b"") + self.unique_id + block(b"")
        return b"TRIBES-B\1\0" + block(body) + b"TRIBES-E\1\0"

    def frame(self, body, options=6):
        data = struct.pack(">iq", options, int(time.time() * 1000)) + block(os.urandom(16)) + block(self.block()) + block(body)
        return b"FLT2002" + block(data) + b"TLF2003"


class Newcomer(Member):
    """Asks an engine for its sessions, as a Tomcat that starts."""

    def ask(self, engine):
        """All that it sends, as it sends it."""
        self.listener.settimeout(PATIENCE)
        with socket.create_connection(engine, PATIENCE) as question:
            question.sendall(self.frame(session_message(GET_ALL, "GET-ALL"), 8))
            answer, _ = self.listener.accept()
            answer.settimeout(PATIENCE)
            parts = []
            while True:
                options, _, body = read_frame(answer)
                if options & 2:
                    answer.sendall(ACK)
                if event_of(body) == ALL_DATA:
                    parts.append(body)
                if event_of(body) == COMPLETE:
                    return b"".join(parts)


class Tomcat(Member):
    """Beats, and answers whoever asks that it has no sessions: what engines have they have from each other."""

    def __init__(self, address, reads=True):
        super().__init__(address)
        self.reads = reads
        self.ends = False
        self.held = []  # connections of those that are not read
        for work in (self._listen, self._beat):
            threading.Thread(target=work, daemon=True).start()

    def _listen(self):
        while not self.ends:
            connection, _ = self.listener.accept()
            self.held.append(connection)
            if self.reads:
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while True:
                options, sender, body = read_frame(connection)
                if options & 2:
                    connection.sendall(ACK)
                if event_of(body) == GET_ALL:
                    threading.Thread(target=self._answer, args=(sender,), daemon=True).start()
        except OSError:
            connection.close()

    def _answer(self, engine):
        link = Link(self, engine)
        link.send(self.frame(session_message(ALL_DATA, "SESSION-STATE", HEADER + integer(0))))
        link.send(self.frame(session_message(COMPLETE, "SESSION-STATE-TRANSFERRED")))
        link.close()

    def _beat(self):
        group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        group.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(self.address))
        while not self.ends:
            group.sendto(self.block(), GROUP)
            time.sleep(0.5)
        group.sendto(self.block(b"BABY-ALEX"), GROUP)

    def leave(self):
        self.ends = True


class Link:
    """A Tomcat's connection to one member: a frame, its acknowledgement, once more on a new connection.

    A member that does not answer is left alone for a moment, as one that a Tomcat has dropped.
    """
    TIMEOUT = 3
    LEFT_ALONE = 1

    def __init__(self, member, engine):
        self.member, self.engine = member, engine
        self.connection = None
        self.again_at = 0.0

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def write(self, frame):
        if time.monotonic() < self.again_at:
            return False
        try:
            if self.connection is None:
                self.connection = socket.create_connection(self.engine, self.TIMEOUT)
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection.settimeout(self.TIMEOUT)
            self.connection.sendall(frame)
            return True
        except OSError:
            self.close()
            return False

    def answer(self):
        """True: acknowledged; False: refused; None: no answer."""
        if self.connection is None:
            return None
        try:
            return read(self.connection, len(ACK)) == ACK
        except OSError:
            self.close()
            return None

    def send(self, frame):
        if time.monotonic() < self.again_at:
            return None
        for _ in range(2):
            if self.write(frame):
                answer = self.answer()
                if answer is not None:
                    return answer
        self.again_at = time.monotonic() + self.LEFT_ALONE
        return None
