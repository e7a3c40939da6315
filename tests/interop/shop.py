"""The class that only the test application has, compiled."""

import contextlib
import pathlib
import subprocess
import tempfile

from browser import Person
from process import Failed
from tomcat import Application

SOURCES = pathlib.Path(__file__).parent / "webapp-classes"


@contextlib.contextmanager
def compiled_classes():
    """A directory of classes for Settings(classes=...)."""
    with tempfile.TemporaryDirectory(prefix="tribecast-classes-") as directory:
        pathlib.Path(directory).chmod(0o755)
        subprocess.run(["javac", "--release", "11", "-encoding", "UTF-8", "-d", directory,
                        *map(str, SOURCES.rglob("*.java"))], check=True)
        yield directory


PAGE = "/app/basket.jsp"


def fill(cluster, tomcats, count):
    """So many visitors, whose sessions began on one node or another, each with what the page said."""
    filled = []
    for number in range(count):
        visitor = cluster.visitor()
        said = visitor.visit(tomcats[number % len(tomcats)].url(PAGE), fill=number)
        filled.append((visitor, said))
    return filled


def whole(filled, tomcats):
    """How many of them are as they were, each read on another node than that it began on."""
    return sum(visitor.visit(tomcats[(number + 1) % len(tomcats)].url(PAGE)) == said
               for number, (visitor, said) in enumerate(filled))


FOR_MEMBERS = Application("/club", descriptor="basic.xml")


def logged_in(cluster, tomcat):
    """Somebody who has said her password there, and needs it no more; her session has got another id by that."""
    ann = Person(cluster.network.middle)
    ann.sees(tomcat.url("/club/session.jsp"), create=1)
    before = ann.cookie("JSESSIONID", "/club")
    ann.sees(tomcat.url("/club/members"), password="ann:secret")
    if ann.cookie("JSESSIONID", "/club") == before:
        raise Failed("a login must change the session's id")
    return ann


def still_logged_in(ann, tomcats):
    """Whether each lets her in by her cookie alone."""
    return [ann.sees(tomcat.url("/club/members")) for tomcat in tomcats] == [{"user": "ann"} for _ in tomcats]
