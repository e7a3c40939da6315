"""Drives `tribecast watch --top` in a pseudo terminal. usage: top.py TOOL OPTION..."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

ENTER, LEAVE = b"\033[?1049h", b"\033[?1049l"
DEADLINE = 30


class Terminal:
    def __init__(self, words, columns=100, rows=30, **environment):
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(self.slave, fd)
            keep = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM", "LC_ALL")}
            os.execve(words[0], words, {**keep, "TERM": "xterm", "LANG": "C.UTF-8", **environment})

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, condition, what):
        end = time.monotonic() + DEADLINE
        while not condition():
            left = end - time.monotonic()
            assert left > 0, f"{what}: not seen in {DEADLINE} s: {self.seen[-2000:]!r}"
            if select.select([self.master], [], [], min(left, 0.5))[0]:
                try:
                    self.seen += os.read(self.master, 65536)
                except OSError:
                    time.sleep(0.05)

    def screens(self):
        """Those that are complete: what was painted, without colours, as lines."""
        pieces = self.seen.split(b"\033[H")[1:]
        whole = [p for p in pieces if p.rstrip(LEAVE).endswith(b"\033[J") or b"\033[J" in p]
        plain = [re.sub(rb"\033\[[0-9;?]*[a-zA-Z]", b"", p).decode() for p in whole]
        return [p.replace("\r", "").split("\n") for p in plain]

    def wait_screens(self, more, what="screens"):
        have = len(self.screens())
        self.read_until(lambda: len(self.screens()) >= have + more, what)
        return self.screens()[-1]

    def ended(self):
        """How it ended; the terminal must be as it was."""
        self.read_until(lambda: self.seen.count(LEAVE) == self.seen.count(ENTER) > 0, "leaving the screen")
        end = time.monotonic() + DEADLINE
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            assert time.monotonic() < end, "does not end"
            time.sleep(0.02)
        assert termios.tcgetattr(self.slave) == self.before, "the terminal's modes are not restored"
        assert self.seen.count(b"\033[?25l") == self.seen.count(b"\033[?25h"), "no cursor"
        return os.waitstatus_to_exitcode(status)


def fits(screen, columns, rows):
    assert len(screen) <= rows, (len(screen), rows, screen)
    for line in screen:
        assert len(line) <= columns, (columns, line)


def main(words):
    words = words + ["watch", "--top"]
    t = Terminal(words)
    screen = t.wait_screens(2)
    fits(screen, 100, 30)
    text = "\n".join(screen)
    for part in ("OK  1 of 1 peer up", "PEER", "MEMBER", "10.91.0.2:4000", "peer_up", "q: quit"):
        assert part in text, (part, text)
    assert b"\033[32m" in t.seen, "no colour on a terminal"
    for columns, rows in ((40, 12), (200, 60), (20, 5)):
        t.resize(columns, rows)
        t.wait_screens(1)
        screen = t.wait_screens(2, f"{columns}x{rows}")
        fits(screen, columns, rows)
        assert "OK" in screen[0], screen
    t.resize(100, 30)
    os.write(t.master, b"x")
    t.wait_screens(2, "another key does not end it")
    os.kill(t.pid, signal.SIGTSTP)
    _, status = os.waitpid(t.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), status
    t.read_until(lambda: t.seen.count(LEAVE) == 1, "left while it is stopped")
    assert termios.tcgetattr(t.slave) == t.before, "modes while it is stopped"
    os.kill(t.pid, signal.SIGCONT)
    t.wait_screens(2, "painted again")
    os.write(t.master, b"q")
    assert t.ended() == 0

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        t = Terminal(words)
        t.wait_screens(1)
        os.kill(t.pid, number)
        assert t.ended() == -number, number
    t = Terminal(words)
    t.wait_screens(1)
    os.write(t.master, b"\x03")
    assert t.ended() == -signal.SIGINT, "the interrupt key"

    t = Terminal(words + ["--count", "2"], NO_COLOR="1")
    assert t.ended() == 0
    assert not re.search(rb"\033\[[0-9;]*m", t.seen), "colour in spite of NO_COLOR"
    t = Terminal(words, TERM="dumb")
    t.read_until(lambda: b"needs a terminal" in t.seen, "a terminal that cannot be painted on")
    assert os.waitstatus_to_exitcode(os.waitpid(t.pid, 0)[1]) == 64


main(sys.argv[1:])
