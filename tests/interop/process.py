"""One long-running program on a host: started, waited for, ended by its own pid."""

import contextlib
import os
import signal
import subprocess
import time


class Failed(Exception):
    """What a test or a step expected did not happen."""


class Skipped(Exception):
    """A test cannot run here; says why."""


def eventually(what, predicate, timeout=60, every=0.05):
    """Waits until predicate() is true and returns its value; says what was awaited when it never is."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {timeout} s")
        time.sleep(every)


@contextlib.contextmanager
def undisturbed():
    """Signals that ask for an end wait until the block is done: cleaning up must not stop half-way."""
    asked = []
    before = {number: signal.signal(number, lambda number, _: asked.append(number))
              for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        raise KeyboardInterrupt


def end_politely_on_signals():
    """SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that `with` blocks remove what they made."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


class Process:
    """Leads a process group of its own. Ends with the harness, however that ends, unless it may outlive it."""

    def __init__(self, host, argv, log, outlives_harness=False):
        self.log = log
        self._host = host
        self._outlives_harness = outlives_harness
        self._child = None
        self.runs(argv)

    def runs(self, argv):
        """From the next start on."""
        self._argv = self._host.command(*argv)
        if not self._outlives_harness:
            self._argv = ["setpriv", "--pdeathsig", "TERM", *self._argv]

    def start(self):
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen(self._argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           start_new_session=True)

    @property
    def pid(self):
        return self._child.pid

    def running(self):
        return self._child is not None and self._child.poll() is None

    def kill(self):
        """Ends it at once, and whatever it has forked."""
        if self.running():
            os.killpg(self.pid, signal.SIGKILL)
            self._child.wait()

    def stop(self, timeout=60):
        """Asks it to end, and waits until it has."""
        self._child.terminate()
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"pid {self.pid} had to be killed {timeout} s after SIGTERM: {self.log}") from None

    def exit_code(self):
        """Of the last one that ended; negative for a signal."""
        return self._child.returncode

    def log_text(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def wait_for_log(self, text, count=1, timeout=60):
        def seen():
            if not self.running():
                raise Failed(f"ended before its log said '{text}': {self.log}\n{tail(self.log)}")
            return self.log_text().count(text) >= count
        eventually(f"'{text}' in {self.log}", seen, timeout)


def tail(path, lines=15):
    with open(path, errors="replace") as file:
        return "".join(file.readlines()[-lines:])
