#!/usr/bin/env python3
"""Verifies the frozen wire vectors with another implementation: hashlib, hmac and OpenSSL (through
the package `cryptography`), written after docs/wire-format.md. Exits 77 without that package."""
import hashlib
import hmac
import os
import struct
import sys

try:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
except ImportError:
    print("SKIPPED: the wire vectors are not verified: no python3-cryptography", file=sys.stderr)
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
HEADER = 16
checks = 0


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        sys.exit("wire vectors: " + what + " is not right")


def lines(name):
    with open(os.path.join(HERE, name), encoding="ascii") as file:
        for line in file:
            words = line.split("#")[0].split()
            if words:
                yield words


def nonce(counter):
    return bytes(4) + struct.pack("<Q", counter)


def seal(key, counter, associated, plain):
    return ChaCha20Poly1305(key).encrypt(nonce(counter), plain, associated)


def header(kind, ring_id, index, counter):
    return struct.pack(">BBBBIQ", 0xB7, 0x10 | kind, 0, ring_id, index, counter)


class Noise:
    """A handshake with 25519, ChaChaPoly and SHA256, both sides at once."""

    def __init__(self, pattern, prologue):
        name = b"Noise_" + pattern + b"_25519_ChaChaPoly_SHA256"
        self.hash = hashlib.sha256(name).digest()
        self.chaining = self.hash
        self.key = None
        self.mix_hash(prologue)

    def derive(self, data, count):
        secret = hmac.new(self.chaining, data, hashlib.sha256).digest()
        outputs, last = [], b""
        for i in range(count):
            last = hmac.new(secret, last + bytes([i + 1]), hashlib.sha256).digest()
            outputs.append(last)
        return outputs

    def mix_hash(self, data):
        self.hash = hashlib.sha256(self.hash + data).digest()

    def mix_key(self, data):
        self.chaining, self.key = self.derive(data, 2)

    def mix_key_and_hash(self, data):
        self.chaining, mixed, self.key = self.derive(data, 3)
        self.mix_hash(mixed)

    def encrypt(self, plain):
        sealed = seal(self.key, 0, self.hash, plain)
        self.mix_hash(sealed)
        return sealed

    def shared(self, secret, public):
        self.mix_key(secret.exchange(X25519PublicKey.from_public_bytes(public)))

    def ephemeral(self, public):
        self.mix_hash(public)
        self.mix_key(public)


def psk_of(v):
    if "ring_key" not in v:
        return bytes(32)
    return hashlib.blake2b(b"tribecast psk v1", digest_size=32, key=v["ring_key"]).digest()


def ring_id_of(v):
    return v["ring_id"][0] if "ring_id" in v else 0


def mac(receiver, psk, datagram):
    key = hashlib.blake2b(b"tribecast mac v1" + receiver, digest_size=32, key=psk).digest()
    return hashlib.blake2b(datagram, digest_size=16, key=key).digest()


def verify_handshake_by_key(v):
    psk = psk_of(v)
    check(psk == v["psk"], "psk")
    index, = struct.unpack(">I", v["initiator_index"])
    init_header = header(5, ring_id_of(v), index, 0)
    response_header = header(6, ring_id_of(v), index, 0)
    check(v["prologue"] == b"tribecast 1 public-key" + init_header, "prologue")

    def pair(name):
        secret = X25519PrivateKey.from_private_bytes(v[name])
        return secret, raw(secret.public_key())

    static_i, open_i = pair("initiator_static_secret")
    static_r, open_r = pair("responder_static_secret")
    secret_i, public_i = pair("initiator_ephemeral_secret")
    secret_r, public_r = pair("responder_ephemeral_secret")
    noise = Noise(b"IKpsk2", v["prologue"])
    noise.mix_hash(open_r)
    noise.ephemeral(public_i)
    noise.shared(static_r, public_i)  # es
    first = public_i + noise.encrypt(open_i)
    noise.shared(static_r, open_i)  # ss
    first = init_header + first + noise.encrypt(v["init_plain"])
    check(first + mac(open_r, psk, first) == v["init_datagram"], "init_datagram")
    noise.ephemeral(public_r)
    noise.shared(secret_r, public_i)  # ee
    noise.shared(static_i, public_r)  # se
    noise.mix_key_and_hash(psk)
    second = response_header + public_r + noise.encrypt(v["response_plain"])
    check(second + mac(open_i, psk, second) == v["response_datagram"], "response_datagram")
    verify_end_of_handshake(noise, v)
    check(len(v["init_datagram"]) == 148 and len(v["response_datagram"]) == 100,
          "the size of the handshake messages by key")


def verify_end_of_handshake(noise, v):
    check(noise.hash == v["handshake_hash"], "handshake_hash")
    to_responder, to_initiator = noise.derive(b"", 2)
    check(to_responder == v["key_to_responder"], "key_to_responder")
    check(to_initiator == v["key_to_initiator"], "key_to_initiator")
    check(v["init_plain"][:12] == v["initiator_index"] + v["initiator_instance"], "init_plain")
    check(v["response_plain"][:12] == v["responder_index"] + v["responder_instance"],
          "response_plain")


def verify_handshake(v):
    psk = psk_of(v)
    check(psk == v["psk"], "psk")
    index, = struct.unpack(">I", v["initiator_index"])
    init_header = header(1, v["ring_id"][0], index, 0)
    check(v["prologue"] == b"tribecast 1" + init_header, "prologue")

    secret_i = X25519PrivateKey.from_private_bytes(v["initiator_ephemeral_secret"])
    secret_r = X25519PrivateKey.from_private_bytes(v["responder_ephemeral_secret"])
    public_i = raw(secret_i.public_key())
    public_r = raw(secret_r.public_key())
    noise = Noise(b"NNpsk0", v["prologue"])
    noise.mix_key_and_hash(psk)
    noise.ephemeral(public_i)
    init = init_header + public_i + noise.encrypt(v["init_plain"])
    check(init == v["init_datagram"], "init_datagram")
    noise.ephemeral(public_r)
    shared = secret_r.exchange(X25519PublicKey.from_public_bytes(public_i))
    noise.mix_key(shared)
    response = header(2, v["ring_id"][0], index, 0) + public_r + noise.encrypt(v["response_plain"])
    check(response == v["response_datagram"], "response_datagram")
    verify_end_of_handshake(noise, v)
    check(len(init) == 84 and len(response) == 84, "the size of the handshake messages")


def raw(public):
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def frames_of(plain):
    frames = []
    while plain:
        kind, size = struct.unpack(">BH", plain[:3])
        frames.append((kind, plain[3:3 + size]))
        check(len(frames[-1][1]) == size, "the length of a frame")
        plain = plain[3 + size:]
    return frames


def fingerprint(ring_key):
    return hashlib.blake2b(b"tribecast fingerprint v1", key=ring_key, digest_size=32).digest()[:4]


def verify_pairs(v):
    def pair(name, key, index, counter):
        associated = header(3, 0, struct.unpack(">I", v[index])[0], counter)
        sealed = associated + seal(v[key], counter, associated, v[name + "_plain"])
        check(sealed == v[name + "_datagram"], name)
        return frames_of(v[name + "_plain"])

    def grant(side):
        return v[side + "_data_key_id"] + v[side + "_data_key"] + bytes(8)

    def text(value):
        return bytes([len(value)]) + value

    for side, name, key, index in (
            ("initiator", "pair_from_initiator", "key_to_responder", "responder_index"),
            ("responder", "pair_from_responder", "key_to_initiator", "initiator_index")):
        frames = pair(name, key, index, 0)
        kinds = [1, 2, 3] + [9] * ("ring_key" in v)
        check([kind for kind, _ in frames] == kinds, "the order of the frames of " + name)
        hello = text(v[side + "_name_text"]) + text(b"site") + text(b"0.1.0")
        check(frames[0][1] == hello, "hello of " + name)
        check(frames[1][1] == grant(side), "grant of " + name)
        check(len(frames[2][1]) == 33, "probe of " + name)
        if "ring_key" in v:
            check(frames[3][1] == v["ring_id"] + fingerprint(v["ring_key"]), "ring of " + name)
    probe = frames_of(v["pair_from_initiator_plain"])[2][1]
    sequence, _, echo, _, _, holding, answer_now = struct.unpack(">IQQIIIB", probe)
    check((sequence, holding, answer_now) == (1, 0, 1), "the first probe")
    check(struct.pack(">Q", echo) == v["response_plain"][12:20], "what the first probe echoes")
    answer = pair("pair_answer", "key_to_responder", "responder_index", 1)
    check(answer[0][1][28:32] == v["responder_data_key_id"], "the key that the answer acknowledges")


def verify_data(v):
    index, = struct.unpack(">I", v["initiator_data_key_id"])
    payload = b""
    for counter, name in enumerate(("data0", "piece0", "piece1")):
        plain = v[name + "_plain"]
        associated = header(4, 0, index, counter)
        sealed = associated + seal(v["initiator_data_key"], counter, associated, plain)
        check(sealed == v[name + "_datagram"], name)
        check(len(sealed) <= 1232, "the size of " + name)
        kind, piece, pieces, _, group, port, source, source_port = struct.unpack(
            ">BBBQ4sH4sH", plain[:23])
        ends = bytes([228, 0, 0, 4]), 45564, bytes([10, 0, 0, 1]), 45564
        check((group, port, source, source_port) == ends, "the ends of " + name)
        expected = (1, 0, 1) if name == "data0" else (1, counter - 1, 2)
        check((kind, piece, pieces) == expected, "the numbers of " + name)
        if name == "data0":
            check(plain[23:] == v["heartbeat"], "the heartbeat")
        else:
            payload += plain[23:]
    check(payload == bytes(i % 251 for i in range(1500)), "the pieces together")


def verify_sealed():
    for words in lines("sealed.txt"):
        kind, ring_id, index, counter = map(int, words[1:5])
        plain = b"" if words[6] == "-" else bytes.fromhex(words[6])
        associated = header(kind, ring_id, index, counter)
        sealed = associated + seal(bytes.fromhex(words[5]), counter, associated, plain)
        check(sealed.hex() == words[7], "sealed.txt, counter " + words[4])
    for words in lines("envelope.txt"):
        check(header(*map(int, words[1:5])).hex() == words[5], "envelope.txt " + words[5])


def text(value):
    return bytes([len(value)]) + value.encode()


def endpoint(address, port):
    return bytes([len(address)]) + address + struct.pack(">H", port)


def view():
    """The view of tests/unit/control_view.cc, after "A view" in docs/wire-format.md."""
    unique_id = bytes(range(16))
    head = b"\x01" + text("web-1") + text("eu") + text("1.0.0") + bytes.fromhex("00aabbccddeeff11")
    head += struct.pack(">IQ", 3600, 77)
    warnings = b"\x01" + text("agent_away") + text("the agent of peer web-2 has been silent")
    groups = b"\x02" + text("tomcat") + endpoint(bytes([228, 0, 0, 4]), 45564) + struct.pack(">BI", 1, 3000)
    groups += text("six") + endpoint(bytes.fromhex("ff02" + "00" * 13 + "01"), 7) + struct.pack(">BI", 0, 3000)
    peers = struct.pack(">H", 2) + text("web-2") + text("1.0.0") + bytes.fromhex("1122334455667788")
    peers += endpoint(bytes([10, 0, 1, 2]), 45565)
    peers += struct.pack(">BBIHHiHIB", 3, 0, 1500, 250, 0xFFFF, -3500, 1500, 125, 2)
    peers += text("web-3") + text("") + bytes(8) + b"\x00"
    peers += struct.pack(">BBIHHIHIB", 4, 0, 0xFFFFFFFF, 0xFFFF, 0xFFFF, 0x80000000, 0, 0xFFFFFFFF, 0)
    peers += struct.pack(">H", 0)
    members = struct.pack(">H", 2)
    for host, peer, flags in ((bytes([10, 0, 0, 1]), 0xFFFF, 1 << 1), (bytes([10, 0, 1, 2]), 0, 1 | 1 << 1 | 3 << 3)):
        members += b"\x00" + endpoint(host, 4000) + b"\x10" + unique_id + text("shop")
        members += struct.pack(">HBI", peer, flags, 500)
    return head + warnings + groups + peers + members + struct.pack(">H", 0)


def frame(kind, body):
    return struct.pack(">BH", kind, len(body)) + body


def verify_view():
    values = {name: bytes.fromhex(value) for name, value in lines("view.txt")}
    check(values["view"] == view(), "the view")
    missing = sum(1 << 8 * (part // 8) + part % 8 for part in (0, 9, 254))
    check(values["question_frame"] == frame(10, missing.to_bytes(32, "little")), "the question for a view")
    part = struct.pack(">QIBB", 0x1122334455667788, 250, 0, 1) + view()
    check(values["part_frame"] == frame(11, part), "the part of a view")
    check(values["waiting_frame"] == frame(11, bytes(14)), "that a view is being made")


def main():
    verify_view()
    for file in ("exchange.txt", "exchange_by_key.txt", "exchange_by_key_alone.txt"):
        values = {}
        for name, value in lines(file):
            values[name] = value.encode() if name.endswith("_text") else bytes.fromhex(value)
        by_key = "initiator_static_secret" in values
        (verify_handshake_by_key if by_key else verify_handshake)(values)
        verify_pairs(values)
        verify_data(values)
    verify_sealed()
    print(f"wire vectors: {checks} checks, all right")


if __name__ == "__main__":
    main()
