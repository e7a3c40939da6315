"""What clients of a control socket should not do, all at once, until told to stop."""

import contextlib
import socket
import threading

CLIENTS = 200
SLOW_READERS = 20
LINE = b"x" * (1 << 20)


def abuse(path, stop):
    """200 connections: most say nothing, some ask for much and read nothing; and lines of 1 MB without an end."""
    with contextlib.ExitStack() as stack:
        clients = []
        for number in range(CLIENTS):
            with contextlib.suppress(OSError):
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.settimeout(0.2)
                client.connect(str(path))
                clients.append(client)
                if number < SLOW_READERS:
                    client.sendall(b'{"verb": "members"}\nmembers\n' * 50)
        while not stop.wait(0.1):
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as rude:
                rude.settimeout(0.2)
                rude.connect(str(path))
                rude.sendall(LINE)


@contextlib.contextmanager
def abusing(path):
    """abuse() while the block runs."""
    stop = threading.Event()
    thread = threading.Thread(target=abuse, args=(path, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
