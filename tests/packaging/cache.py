"""What tests take from Debian's archive: kernels and systems. Kept in TRIBECAST_CACHE, so a second run fetches nothing."""

import functools
import hashlib
import lzma
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.request

from machine import HERE, Skipped

KERNEL = re.compile(r"linux-image-[0-9.]+[-+0-9a-z]*-cloud-amd64")


def directory():
    path = pathlib.Path(os.environ["TRIBECAST_CACHE"])
    path.mkdir(parents=True, exist_ok=True)
    return path


@functools.cache
def _archive():
    """Where this machine's own apt takes Debian from."""
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"],
                          capture_output=True, text=True, check=True).stdout
    for line in told.splitlines():
        label, _, uri = line.partition(" ")
        if label == "Debian":
            return uri.rstrip("/")
    raise Skipped("apt of this machine knows no archive of Debian")


def _fetch(path):
    try:
        with urllib.request.urlopen(f"{_archive()}/{path}", timeout=60) as answer:
            return answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise Skipped(f"{_archive()}/{path}: {error}") from error


def _version(fields):
    return [int(number) for number in re.findall(r"\d+", fields["Version"])]


def kernel(suite):
    """The newest kernel package for clouds of this suite."""
    kept = directory() / f"kernel-{suite}.deb"
    if kept.exists():
        return kept
    packages = []
    for text in lzma.decompress(_fetch(f"dists/{suite}/main/binary-amd64/Packages.xz")).decode().split("\n\n"):
        if text.startswith("Package: linux-image-"):
            fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
            if KERNEL.fullmatch(fields["Package"]):
                packages.append(fields)
    newest = max(packages, key=_version)
    deb = _fetch(newest["Filename"])
    if hashlib.sha256(deb).hexdigest() != newest["SHA256"]:
        raise Skipped(f"{newest['Filename']} is damaged")
    _keep(kept, lambda path: path.write_bytes(deb))
    return kept


def system(suite, *more):
    """A small Debian with systemd, and more packages, as a tar file."""
    kept = directory() / f"system-{'-'.join([suite, *more])}.tar"
    if not kept.exists():
        _keep(kept, lambda path: _bootstrap(suite, path, more))
    return kept


def building_system(suite):
    """The same with what builds the DEB, as its control file names it, and so what it needs to run."""
    kept = directory() / f"building-{suite}.tar"
    control = (HERE.parents[1] / "packaging/debian/control").read_text()
    needed = re.search(r"^Build-Depends:\n((?: .*\n)+)", control, re.M)[1]
    packages = [re.split(r"[ |(]", line.strip().rstrip(","))[0] for line in needed.splitlines()]
    packages = ["debhelper" if name == "debhelper-compat" else name for name in packages
                if not name.startswith("dh-sequence-")]
    if not kept.exists():
        _keep(kept, lambda path: _bootstrap(suite, path, ["build-essential", *packages]))
    return kept


def _bootstrap(suite, path, more=()):
    made = subprocess.run(
        ["mmdebstrap", "--variant=minbase",
         "--include=" + ",".join(["systemd", "systemd-sysv", "iproute2", "procps", "python3-minimal", *more]),
         *(f"--dpkgopt=path-exclude=/usr/share/{place}/*" for place in ("doc", "locale", "man")),
         "--format=tar", suite, path, _archive()], capture_output=True, text=True)
    if made.returncode != 0:
        raise Skipped(f"mmdebstrap {suite}: {made.stderr[-500:]}")


def _keep(kept, write):
    """Whole or not at all."""
    new = kept.with_name(f"{kept.name}.{os.getpid()}.new")
    try:
        write(new)
        new.rename(kept)
    finally:
        new.unlink(missing_ok=True)
