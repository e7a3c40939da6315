"""Tomcats that Debian does not package, from Maven: each is fetched once, compared with its digest, and kept.

TRIBECAST_CACHE: where (default: build/cache of this checkout). Run as a program: has all of them there.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

from process import Failed, Skipped

CHECKOUT = pathlib.Path(__file__).parents[2]
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
ANSWER_WITHIN = 60   # seconds for each file's server to say something
FETCH_WITHIN = 1200  # and for all files


@dataclasses.dataclass(frozen=True)
class Release:
    number: str
    sha256: str


RELEASES = {
    7: Release("7.0.109", "ebfeb051e6da24bce583a4105439bfdafefdc7c5bdd642db2ab07e056211cb31"),
    8: Release("8.5.100", "163abe51289dd09dc375791888d6f2d5508c06050548dc4fc7700251f4bebaca"),
    11: Release("11.0.25", "071ae2c6213e3c02c58b8581113b7887a96ef2756439b3c5be36fa6aec350090"),
}


def home(version):
    """The CATALINA_HOME of this version."""
    release = RELEASES[version]
    cache = pathlib.Path(os.environ.get("TRIBECAST_CACHE") or CHECKOUT / "build/cache")
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / f"apache-tomcat-{release.number}"
    with _alone(cache / "tomcats.lock"):
        if not kept.exists():
            _unpack(_fetch(release, cache), kept)
    return kept


@contextlib.contextmanager
def _alone(lock):
    """One test at a time; a lock ends with whoever holds it."""
    with open(lock, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(release, cache):
    """Its archive, with a repository of the cache's own: nothing on this machine is needed, nor changed."""
    if not shutil.which("mvn"):
        raise Skipped("missing: maven")
    artifact = f"org.apache.tomcat:tomcat:{release.number}:tar.gz"
    command = ["mvn", "-B", "-q", "-U", f"-Dmaven.repo.local={cache}/maven",
               f"-Daether.connector.requestTimeout={ANSWER_WITHIN}000",
               f"{PLUGIN}:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={cache}"]
    try:
        done = subprocess.run(command, cwd=cache, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=FETCH_WITHIN)
    except subprocess.TimeoutExpired:
        raise Failed(f"{artifact}: mvn did not fetch it within {FETCH_WITHIN} s") from None
    if done.returncode != 0:
        errors = [line.partition("[ERROR] ")[2] for line in done.stdout.splitlines() if "[ERROR] " in line]
        raise Failed(f"{artifact}: mvn cannot fetch it; is there a network?\n{(errors or [done.stderr])[0]}")
    shutil.rmtree(cache / "maven/org/apache/tomcat")  # what is damaged is fetched anew
    archive = cache / f"tomcat-{release.number}.tar.gz"
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != release.sha256:
        archive.unlink()
        raise Failed(f"{artifact}: the SHA-256 of what came is {found}, expected {release.sha256}")
    return archive


def _unpack(archive, kept):
    """Whole or not at all."""
    new = kept.with_name(f"{kept.name}.new")
    shutil.rmtree(new, ignore_errors=True)  # of one that was ended meanwhile
    with tarfile.open(archive) as files:
        files.extractall(new)
    (new / kept.name).rename(kept)
    new.rmdir()
    archive.unlink()


def main():
    try:
        for version in RELEASES:
            print(home(version))
    except (Failed, Skipped) as reason:
        print(f"{type(reason).__name__.upper()}: {reason}")
        return 77 if isinstance(reason, Skipped) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
