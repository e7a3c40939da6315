"""The engine and what applications do with a cluster: log in once for all of them, new session ids on login, several contexts
and virtual hosts, and restarts of one Tomcat after the other under load."""

import time

import front
import tomcat as tomcats
from browser import Person
from cluster import Cluster, check, say
from network import Lan
from process import Failed, Skipped, eventually
from test_engine import ON_DISK, no_stall, start_at_once, trouble
from tomcat import Application, Settings

SINGLE_SIGN_ON = '<Valve className="org.apache.catalina.ha.authenticator.ClusterSingleSignOn"/>'
TWO_LOGINS = (Application("/mail", descriptor="form.xml"), Application("/shop", descriptor="basic.xml"))
TWO_MANAGERS = (Application("/delta", descriptor="form.xml"),
                Application("/backup", descriptor="form.xml", manager=tomcats.BACKUP))


def with_an_engine(settings, hosts=2, extra_hosts=()):
    return Cluster(settings, hosts=hosts, network=Lan, agents=False, extra_hosts=["engine", *extra_hosts])


def start(cluster):
    engine = cluster.engine(cluster.extra_hosts[0], settings=ON_DISK)
    engine.start()
    start_at_once([], cluster.tomcats)
    eventually("all list all others", lambda: complete(cluster, engine), timeout=60)
    return engine


def complete(cluster, engine):
    everybody = sorted(part.member for part in [engine, *cluster.tomcats])
    return len(engine.members()) == len(cluster.tomcats) and all(
        tomcat.members() == [member for member in everybody if member != tomcat.member] for tomcat in cluster.tomcats)


def restart_everything(cluster, engine):
    """Killed with -9 at one moment, and started again at one moment."""
    for part in [engine, *cluster.tomcats]:
        part.kill()
    start_at_once([engine], cluster.tomcats)


def log_in(person, tomcat, path):
    """By the form; returns what the page says that was asked for."""
    page = tomcat.url(f"{path}/members")
    if person.sees(page) != "login page":
        raise Failed(f"{page} is open to one who has not logged in")
    reply = person.get(tomcat.url(f"{path}/j_security_check"), form={"j_username": "ann", "j_password": "secret"})
    if reply.status not in (302, 303):
        raise Failed(f"{page}: the login was answered {reply.status}")
    return person.sees(page)


def entries_of(engine):
    return engine.tell("status")[1]["map_entries"]


def sessions_of(engine):
    return engine.tell("sessions")[1]["total"]


def let_in(person, tomcats):
    """What each application on each Tomcat says to who has this cookie of hers alone, not those of sessions."""
    return [person.twin("JSESSIONIDSSO").sees(tomcat.url(f"{application.path}/members"))
            for tomcat in tomcats for application in TWO_LOGINS]


def single_sign_on():
    """Who logs in to one application on one Tomcat is known to the others on all, also after a restart of everything."""
    welcome, unknown = 4 * [{"user": "ann"}], 2 * ["login page", 401]
    with with_an_engine(Settings(valves=SINGLE_SIGN_ON, applications=TWO_LOGINS)) as cluster:
        engine = start(cluster)
        one, two = cluster.tomcats
        ann = Person(cluster.network.middle)
        check(let_in(ann, [one]) == ["login page", 401], "two applications ask for a login, one with a form, one with BASIC")
        before = sessions_of(engine)  # of those who wait at the login page
        log_in(ann, one, "/mail")
        check(ann.sees(two.url("/shop/members"), create=1, set="cart", to="book") == {"user": "ann", "cart": "book"},
              "logged in to one application on one Tomcat, known to the other on the other")
        check(let_in(ann, cluster.tomcats) == welcome, "and everywhere to who has the cookie for all of them alone")
        eventually("the engine has the entry", lambda: entries_of(engine) == 1, timeout=10)
        for tomcat, other in ((one, two), (two, one)):
            tomcat.stop()
            check(let_in(ann, [other]) == welcome[:2], f"{tomcat.name} is stopped: the other lets her in")
            tomcat.start()
            check(let_in(ann, cluster.tomcats) == welcome, "and started: so do both")
        check(trouble(cluster.tomcats) == [], "no error in the Tomcats' logs")
        restart_everything(cluster, engine)
        refused = 0
        while refused < 50 and let_in(ann, cluster.tomcats) != welcome:
            refused += 1
            time.sleep(0.5)
        say(f"  figure {refused} looks at both Tomcats were refused after they served again")
        check(refused < 50, "all killed with -9 and started again: the same cookie lets her in everywhere, without a login")
        check(entries_of(engine) == 1 and ann.sees(one.url("/shop/members")) == {"user": "ann", "cart": "book"},
              "the engine has one entry, and she has her cart")

        ann.twin().sees(one.url("/shop/session.jsp"), logout=1)
        check(entries_of(engine) == 0 and sessions_of(engine) == before,
              "logged out of one application: the engine has no entry, and none of her sessions")
        check(let_in(ann, cluster.tomcats) == unknown, "and everybody asks her for a login")
        restart_everything(cluster, engine)
        time.sleep(6)  # Tomcats' maps look for each other every 5 s
        check(entries_of(engine) == 0 and let_in(ann, cluster.tomcats) == unknown, "also after another restart of everything")


class Member:
    """Ann, who logs in to the application at that path, with a cart that she filled before."""

    def __init__(self, cluster, tomcat, path):
        self._cluster = cluster
        self.path = path
        self._ann = Person(cluster.network.middle)
        self._ann.sees(tomcat.url(f"{path}/session.jsp"), create=1, set="cart", to=f"book of {path}")
        self.old = self._ann.cookie("JSESSIONID", path)
        self.expected = {"user": "ann", "cart": f"book of {path}"}
        seen = log_in(self._ann, tomcat, path)
        self.new = self._ann.cookie("JSESSIONID", path)
        check(seen == self.expected and self.new != self.old, f"{path}: a login gives a new session id, and the cart stays")

    def known(self):
        """On each node, to who has her cookies now."""
        return [self._ann.twin().sees(tomcat.url(f"{self.path}/members")) for tomcat in self._cluster.tomcats] == \
            [self.expected for _ in self._cluster.tomcats]

    def log_out(self, tomcat):
        self._ann.twin().sees(tomcat.url(f"{self.path}/session.jsp"), logout=1)

    def dead(self, session):
        """An id that no node knows; who has it is asked to log in."""
        for tomcat in self._cluster.tomcats:
            other = Person(self._cluster.network.middle)
            other.cookies[self.path, "JSESSIONID"] = session
            if other.twin().sees(tomcat.url(f"{self.path}/session.jsp")) is not None or session in tomcat.sessions(self.path) or \
                    other.twin().sees(tomcat.url(f"{self.path}/members")) != "login page":
                return False
        return True


def login():
    """A login gives the session another id: the old one is dead, the new one has everything, everywhere and after a restart."""
    with with_an_engine(Settings(applications=TWO_MANAGERS)) as cluster:
        engine = start(cluster)
        one, two = cluster.tomcats
        members = [Member(cluster, one, application.path) for application in TWO_MANAGERS]
        for member in members:
            check(member.known(), f"{member.path}: the other Tomcat knows her and the cart")
            check(member.dead(member.old), f"{member.path}: the old id is dead on both")
        delta = members[0]
        check(engine.tell("session", delta.old[:8])[0] == 2 and engine.tell("session", delta.new[:8])[0] == 0,
              "the engine has the new id, and not the old one")
        time.sleep(3)  # the engine asks for what it is not the backup of at once, but nobody waits for that
        check(trouble(cluster.tomcats) == [], "no error in the Tomcats' logs")
        restart_everything(cluster, engine)
        for member in members:
            check(member.known() and member.dead(member.old),
                  f"{member.path}: all killed with -9 and started again: she is logged in, with the cart, and the old id is dead")
            member.log_out(two)
            check(member.dead(member.new), f"{member.path}: logged out on one, it is dead on both")
        check(engine.tell("session", delta.new[:8])[0] == 2, "and in the engine")
        restart_everything(cluster, engine)
        for member in members:
            check(member.dead(member.new) and member.dead(member.old), f"{member.path}: also after another restart of everything")


SAME_ID = 'sessionCookiePath="/" validateClientProvidedNewSessionId="false"'
VIRTUAL = "shop.test"
ON_BOTH = (Application("/shop", attributes=SAME_ID), Application("/app", host=VIRTUAL, attributes=SAME_ID))
ON_ONE = Application("/first", attributes=SAME_ID)
ON_TWO = Application("/second", host=VIRTUAL, attributes=SAME_ID)
PEOPLE = 4


class Place:
    """An application on a virtual host, the Tomcats that have it, and its name in the cluster. Visitors have one cookie for all."""

    def __init__(self, cluster, host, path, having, cluster_in):
        self.having = having
        self.name = f"{host}{path}"
        self.is_replicated = cluster_in == "Engine" or host == "localhost"
        self.context = f"{host}#{path}" if cluster_in == "Engine" else path
        self._page = f"{path}/session.jsp"
        self._host = host
        self._cluster = cluster

    def sees(self, cookie, tomcat, **parameters):
        person = Person(self._cluster.network.middle, self._host)
        person.cookies["/", "JSESSIONID"] = cookie
        seen = person.sees(tomcat.url(self._page), **parameters)
        if person.cookie("JSESSIONID") != cookie:
            raise Failed(f"{self.name}: another session id")
        return seen

    def fill(self, cookies):
        for number, cookie in enumerate(cookies):
            self.sees(cookie, self.having[number % len(self.having)], create=1, set="where", to=f"{self.name} {number}")

    def wrong(self, cookies, gone=()):
        """What is not as it was filled; None is expected for those that are gone."""
        expected = {cookie: None if cookie in gone else {"where": f"{self.name} {number}"} for number, cookie in enumerate(cookies)}
        return [(tomcat.name, self.name, seen) for tomcat in self.having for cookie in cookies
                if (seen := self.sees(cookie, tomcat)) != expected[cookie]]


def places_of(cluster, cluster_in):
    one, two = cluster.tomcats
    having = {("localhost", "/app"): [one, two], ("localhost", "/shop"): [one, two], ("localhost", "/first"): [one],
              (VIRTUAL, "/app"): [one, two] if cluster_in == "Engine" else [one], (VIRTUAL, "/second"): [two]}
    return [Place(cluster, host, path, nodes, cluster_in) for (host, path), nodes in having.items()]


def contexts(cluster_in):
    """Applications on two virtual hosts, one path on both, some on one node only: sessions of the same ids are kept apart."""
    settings = [Settings(cluster_in=cluster_in, context=SAME_ID, applications=(*ON_BOTH, more)) for more in (ON_ONE, ON_TWO)]
    with with_an_engine(settings) as cluster:
        engine = start(cluster)
        one, two = cluster.tomcats
        places = places_of(cluster, cluster_in)
        kept = [place for place in places if place.is_replicated]
        lost = [place for place in places if not place.is_replicated]
        cookies = [f"{number:032X}" for number in range(1, PEOPLE + 1)]
        for place in places:
            place.fill(cookies)
        check([place.wrong(cookies) for place in places if place.wrong(cookies)] == [],
              f"{PEOPLE} session ids, each in {len(places)} applications, on two Tomcats with the Cluster in the {cluster_in}")
        found = {place.context: engine.tell("sessions", "--context", place.context)[1]["total"] for place in kept}
        check(set(found.values()) == {PEOPLE} and sessions_of(engine) == PEOPLE * len(kept),
              f"the engine tells them apart: {found}")
        restart_everything(cluster, engine)
        check([place.wrong(cookies) for place in kept if place.wrong(cookies)] == [],
              "all killed with -9 and started again: each application has its own values")
        if lost:
            check(all(place.wrong(cookies, gone=cookies) == [] for place in lost),
                  f"and nothing of another one came to the {len(lost)} whose virtual host is not in the cluster")
        code, report = engine.tell("verify")
        missing = {(member["name"], context["context"]) for member in report["members"] for context in member["contexts"]
                   if context["outcome"] == "no_context"}
        lacking = {(tomcat.member, place.context) for place in kept for tomcat in cluster.tomcats if tomcat not in place.having}
        given = [(tomcat, context) for tomcat, context in lacking for line in engine.process.log_text().splitlines()
                 if f": {tomcat} " in line and context in line and (" answering: " in line or " healing: " in line)]
        check(code == 0 and missing == lacking and given == [],
              f"verify: all the same, but for applications that a Tomcat does not have, of which it was given nothing: {sorted(lacking)}")
        first, second = kept[0], kept[1]
        first.sees(cookies[0], two, logout=1)
        check([place.wrong(cookies, gone=cookies[:1] if place is first else ()) for place in kept] == [[] for _ in kept],
              f"logged out of {first.name}: gone there, and nowhere else, not from {second.name} either")


# What docs/engine.md recommends.
ROLLING = {
    "connector": 'bindOnInit="false"',            # the port is open while the applications run, and not longer
    "service": 'gracefulStopAwaitMillis="5000"',  # requests that were accepted come to their end
}
NGINX_SERVER = "max_fails=1 fail_timeout=2s"
NGINX_LOCATION = "proxy_connect_timeout 1s; proxy_next_upstream error timeout http_503;"
WAITS = 6  # the option with which a request waits until its changes are everywhere


def rolling(option):
    """Three Tomcats stopped and started one after the other under load: no failed request, no lost session.

    With options 8 and 10 a visitor who comes to another Tomcat may be there before his last change is, on any day: then
    only the end is judged. What was written last must be in the engine, whatever overtook it.
    """
    if front.missing("nginx"):
        raise Skipped("nginx is not installed")
    with with_an_engine(Settings(send_options=option, **ROLLING), hosts=3, extra_hosts=["front"]) as cluster:
        engine = start(cluster)
        server = front.nginx(cluster.extra_hosts[1], cluster.directory, cluster.tomcats, NGINX_SERVER, NGINX_LOCATION)
        cluster.fronts.append(server)
        server.start()
        with front.Crowd(server, settle=1) as crowd:
            crowd.carry_on(150)
            for tomcat in cluster.tomcats:
                tomcat.stop()
                tomcat.start()
                eventually(f"{tomcat.name} has every session", lambda: set(crowd.written) <= set(tomcat.sessions()), timeout=30)
                eventually("all list all others", lambda: complete(cluster, engine), timeout=30)
                crowd.carry_on(150)
        for line in [*crowd.failed, *crowd.lost, *crowd.stale][:5]:
            say(f"        {line}")
        say(f"  figure {crowd.requests} requests with option {option}: {len(crowd.stale)} answered with an older value than before")
        check(not crowd.failed and not crowd.lost, "every request was answered, and no session was lost")
        if option == WAITS:
            check(not crowd.stale, "no answer was older than the one before")
        check(no_stall(cluster.tomcats), "no Tomcat had to wait for its sessions")
        time.sleep(3)  # with 8 and 10 what was written last is on its way for a moment
        for tomcat in cluster.tomcats:
            tomcat.kill()
        one = cluster.tomcats[0]
        one.start()
        wrong = {session: (seen, count) for session, count in crowd.written.items()
                 if (seen := count_of(cluster, session, one)) != count}
        check(not wrong, f"a Tomcat that the engine alone filled has what was written last in each session: {wrong or 'all right'}")


def count_of(cluster, session, tomcat):
    visitor = cluster.visitor()
    visitor.session = session
    seen = visitor.visit(tomcat.url("/app/session.jsp"))
    return seen and int(seen["count"])
