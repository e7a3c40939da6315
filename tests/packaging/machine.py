"""A copy of this system with a systemd of its own, on a host of a test network (see boot)."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "interop"))

from process import Failed, Skipped, eventually  # noqa: E402

SECONDS_TO_BOOT = 30


def only_package(pattern):
    """The one file of this name that the test packages.build has left."""
    directory = pathlib.Path(os.environ["TRIBECAST_PACKAGES"])
    found = sorted(directory.glob(pattern))
    if len(found) != 1:
        raise Skipped(f"one {pattern} should be in {directory}: run the test packages.build before")
    return found[0]


class Machine:
    def __init__(self, host, directory, system=None):
        """system: a tar file with the system that it is a copy of; without it this one."""
        self.host = host
        self._system = system
        self.directory = pathlib.Path(directory)
        self._launcher = None
        self._pid = None  # of its process 1

    def boot(self):
        words = [self.directory]
        if self._system:
            words.append(self.directory / "system")
            words[1].mkdir()
            subprocess.run(["tar", "-xf", self._system, "-C", words[1], "--exclude=./dev/*"], check=True)
        with open(self.directory / "boot.log", "w") as log:
            self._launcher = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", self.host.namespace,
                 "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child=KILL",
                 "--propagation", "private", HERE / "boot", *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually("systemd runs", self._booted, SECONDS_TO_BOOT)

    def _booted(self):
        if self._launcher.poll() is not None:
            raise Skipped("no such machine can be made here: " + (self.directory / "boot.log").read_text())
        if self._pid is None:
            children = pathlib.Path(f"/proc/{self._launcher.pid}/task/{self._launcher.pid}/children").read_text().split()
            self._pid = int(children[0]) if children else None
            return False
        return self.run("systemctl", "is-active", "multi-user.target", check=False).returncode == 0

    def power_off(self):
        """All its processes end with its process 1, and with them what they wrote."""
        if self._launcher:
            self._launcher.kill()
            self._launcher.wait()
            self._remove_control_group()

    def _remove_control_group(self):
        mounted = self.directory / "cgroup"
        shell = (f'mount -t cgroup2 cgroup2 {mounted} && cd {mounted} && [ -d {self.directory.name} ] || exit 0; '
                 f'for try in $(seq 100); do find {self.directory.name} -depth -type d -exec rmdir {{}} + 2>/dev/null; '
                 f'[ -d {self.directory.name} ] || exit 0; sleep 0.05; done')
        subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", shell], check=False)

    def run(self, *argv, check=True, input=None):
        result = subprocess.run(
            ["nsenter", "--target", str(self._pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root",
             "--wd=/", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive",
             *map(str, argv)],
            input=input, stdin=None if input is not None else subprocess.DEVNULL, capture_output=True, text=True)
        if check and result.returncode != 0:
            raise Failed(f"{' '.join(map(str, argv))}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def shell(self, text, check=True):
        return self.run("sh", "-c", text, check=check).stdout.strip()

    def copy_in(self, file, name):
        self.run("sh", "-c", f"mkdir -p /tmp/in; base64 -d >/tmp/in/{name}", input=subprocess.run(
            ["base64", file], check=True, capture_output=True, text=True).stdout)
        return f"/tmp/in/{name}"

    def property(self, name, unit="tribecast.service"):
        return self.run("systemctl", "show", "--value", "--property", name, unit).stdout.strip()

    def written(self):
        """Every file that differs from the system it is a copy of."""
        places = "etc usr lib bin sbin var opt srv root home boot".split()
        ignored = "etc/passwd etc/group etc/shadow etc/gshadow etc/subuid etc/subgid var/log var/lib/dpkg var/lib/systemd " \
                  "var/cache etc/ld.so.cache etc/.pwd.lock".split()
        # An empty directory, which debhelper's scripts for AppArmor remove.
        ignored.append("etc/apparmor.d/disable")
        found = self.shell(f"cd /disk && find {' '.join(places)} ! -type d 2>/dev/null || true").splitlines()
        return {path for path in found
                if not any(path.rstrip("-") == one or path.startswith(one + "/") for one in ignored)}
