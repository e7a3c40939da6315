"""TCP programs of the tests.

listen ADDRESS:PORT... [--backlog N] [--accept] [--reuse] [--only-v6]
    listens; SIGUSR1 closes the sockets and stays. With --accept it accepts and keeps what comes
    until the other end closes. `::` and `::ffff:a.b.c.d` serve IPv4 too, as Java's do.
hang-up ADDRESS:PORT             accepts, and closes each connection at once
churn ADDRESS:PORT --count N     a listener of its own, N connections to it, one after the other
flap ADDRESS:PORT --count N      N listeners, beside others, each closed at once
hold ADDRESS:PORT --count N [--from ADDRESS]     N connections, kept, answered or not
"""
import argparse
import ipaddress
import select
import signal
import socket


def endpoint(text):
    address, port = text.rsplit(":", 1)
    return address.strip("[]"), int(port)


def family_of(address):
    return socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET


def listener(text, reuse=False, only_v6=False, backlog=128):
    address, port = endpoint(text)
    s = socket.socket(family_of(address), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if s.family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only_v6)
    s.bind((address, port))
    s.listen(backlog)
    return s


def serve(listeners):
    accepted = []
    while True:
        for s in select.select(listeners + accepted, [], [])[0]:
            if s in listeners:
                accepted.append(s.accept()[0])
                print("accepted", flush=True)
            elif not s.recv(4096):
                accepted.remove(s)
                s.close()
                print("closed", flush=True)


def listen(args):
    listeners = [listener(e, args.reuse, args.only_v6, args.backlog) for e in args.endpoint]

    def close(_number, _frame):
        for s in listeners:
            s.close()
        print("closed all", flush=True)

    signal.signal(signal.SIGUSR1, close)
    print("ready", flush=True)
    if args.accept:
        serve(listeners)
    while True:
        signal.pause()


def hang_up(args):
    with listener(args.endpoint[0]) as server:
        print("ready", flush=True)
        while True:
            server.accept()[0].close()
            print("accepted", flush=True)


def churn(args):
    with listener(args.endpoint[0]) as server:
        for _ in range(args.count):
            with socket.create_connection(endpoint(args.endpoint[0])):
                server.accept()[0].close()
    print("done", flush=True)


def flap(args):
    for _ in range(args.count):
        listener(args.endpoint[0], reuse=True).close()
    print("done", flush=True)


def hold(args):
    kept = []
    for _ in range(args.count):
        s = socket.socket(family_of(endpoint(args.endpoint[0])[0]), socket.SOCK_STREAM)
        s.setblocking(False)
        if args.source:
            s.bind((args.source, 0))
        s.connect_ex(endpoint(args.endpoint[0]))
        kept.append(s)
    print("ready", flush=True)
    signal.pause()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("verb", choices=["listen", "hang-up", "churn", "flap", "hold"])
    p.add_argument("endpoint", nargs="+")
    p.add_argument("--count", type=int, default=1)
    p.add_argument("--backlog", type=int, default=128)
    p.add_argument("--from", dest="source")
    p.add_argument("--accept", action="store_true")
    p.add_argument("--reuse", action="store_true")
    p.add_argument("--only-v6", action="store_true")
    args = p.parse_args()
    {"listen": listen, "hang-up": hang_up, "churn": churn, "flap": flap, "hold": hold}[args.verb](args)


if __name__ == "__main__":
    main()
