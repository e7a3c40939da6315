"""The engine as a member among real Tomcats."""

import time

from cluster import Cluster, check
from network import Lan
from process import eventually
from shop import FOR_MEMBERS, compiled_classes, fill, logged_in, still_logged_in, whole
from tomcat import Settings

TROUBLE = ("Unable to send", "Member send is failing", "FAIL_ACK", "ERROR", "SEVERE", "Operation has timed out",
           "suspect member")


def trouble(tomcats):
    """Lines of their logs that tell of failed sending, or of worse."""
    return [line for tomcat in tomcats for line in tomcat.process.log_text().splitlines()
            if any(word in line for word in TROUBLE)]


def all_list(tomcats, engine, others=True):
    expected = {tomcat.name: sorted([engine.member] + [other.member for other in tomcats if other is not tomcat])
                for tomcat in tomcats} if others else {tomcat.name: [engine.member] for tomcat in tomcats}
    return {tomcat.name: tomcat.members() for tomcat in tomcats} == expected


def write_sessions(cluster, count):
    """Sessions that are made on every Tomcat in turn, changed there and read on all."""
    for number in range(count):
        visitor = cluster.visitor()
        first = cluster.tomcats[number % len(cluster.tomcats)]
        page = "/app/session.jsp"
        visitor.visit(first.url(page), create=1, set="cart", to=f"book-{number}")
        for tomcat in cluster.tomcats:
            def has():
                there = visitor.visit(tomcat.url(page)) == {"cart": f"book-{number}"}
                # With option 2 the value may overtake its session on the way to the other Tomcat, which drops it then.
                if not there and first.settings.send_options == 2:
                    visitor.visit(first.url(page), set="cart", to=f"book-{number}")
                return there
            eventually(f"{tomcat.name} has session {number}", has, timeout=10)


def member():
    """In one network with multicast: it comes, is served, serves, and is the same after a restart."""
    with Cluster([Settings(send_options=6), Settings(send_options=2)], hosts=2, network=Lan, agents=False,
                 extra_hosts=["engine"]) as cluster:
        engine = cluster.engine(cluster.extra_hosts[0])
        cluster.start()
        engine.start()
        one, two = cluster.tomcats
        eventually("both Tomcats list the engine", lambda: all_list(cluster.tomcats, engine), timeout=20)
        eventually("the engine has both", lambda: engine.members() == sorted([one.member, two.member]), timeout=20)
        check(True, "two Tomcats and the engine list each other")
        write_sessions(cluster, 20)
        check(trouble(cluster.tomcats) == [], "options 6 and 2: its acknowledgements satisfy both, no error in their logs")

        two.kill()
        eventually("the engine sees that one is killed", lambda: engine.members() == [one.member], timeout=20)
        check(engine.events("member_lost", two.member) == 1, "a killed Tomcat is lost to the engine")
        two.start()
        eventually("and back", lambda: engine.members() == sorted([one.member, two.member]), timeout=20)
        two.stop()
        eventually("the engine sees that one leaves", lambda: engine.events("member_left", two.member) == 1, timeout=20)
        check(True, "one that is stopped has left")
        two.start()

        identity = engine.identity()
        dropped = one.members_dropped()
        engine.kill()
        engine.start()
        time.sleep(5)
        check(engine.identity() == identity, "killed and started at once, it keeps its unique id")
        check(one.members_dropped() == dropped and engine.member in one.members(),
              "its TcpFailureDetector finds it alive: it is never dropped")
        engine.stop()
        eventually("both Tomcats have dropped the engine", lambda: all(
            engine.member not in tomcat.members() for tomcat in cluster.tomcats), timeout=20)
        check(True, "stopped, it says goodbye and ends with 0")


def relayed():
    """Across networks without multicast, through the agents, as any member."""
    with Cluster(Settings(send_options=6), hosts=2) as cluster:
        cluster.start()
        engine = cluster.engine(cluster.hosts[0])
        engine.start()
        eventually("both Tomcats list the engine", lambda: all_list(cluster.tomcats, engine), timeout=20)
        members = sorted(tomcat.member for tomcat in cluster.tomcats)
        eventually("the engine has both", lambda: engine.members() == members, timeout=20)
        check(True, "an engine beside an agent and a Tomcat is a member for both Tomcats")
        write_sessions(cluster, 10)
        check(trouble(cluster.tomcats) == [], "and is replicated to without an error")
        engine.stop()
        eventually("both Tomcats have dropped it", lambda: all(
            engine.member not in tomcat.members() for tomcat in cluster.tomcats), timeout=20)
        check(True, "its goodbye is relayed")


ENGINE_ID = bytes(range(16))
STATIC = """<Interceptor className="org.apache.catalina.tribes.group.interceptors.StaticMembershipInterceptor">
              <Member className="org.apache.catalina.tribes.membership.StaticMember" host="10.81.3.2" port="4100"
                      uniqueId="{{{}}}"/>
            </Interceptor>""".format(",".join(map(str, ENGINE_ID)))


def static():
    """Across networks without multicast and without agents: static members, on both sides."""
    with Cluster(Settings(send_options=6, static_members=STATIC), hosts=2, agents=False,
                 extra_hosts=["engine"]) as cluster:
        one, two = cluster.tomcats
        engine = cluster.engine(cluster.extra_hosts[0], group="none", more=f"unique-id = {ENGINE_ID.hex()}",
                                members=[(tomcat.name, tomcat.member) for tomcat in cluster.tomcats])
        for tomcat in cluster.tomcats:
            tomcat.start()
        engine.start()
        eventually("the engine has both", lambda: engine.members() == sorted([one.member, two.member]), timeout=30)
        eventually("both Tomcats list the engine",
                   lambda: all_list(cluster.tomcats, engine, others=False), timeout=30)
        check(True, "two Tomcats that know the engine alone, and the engine, list each other")
        visitor = cluster.visitor()
        for number in range(10):
            visitor.visit(one.url("/app/session.jsp"), create=1, set="cart", to=str(number))
        check(trouble(cluster.tomcats) == [], "they replicate to it without an error")
        two.kill()
        eventually("the engine sees that one is killed", lambda: engine.members() == [one.member], timeout=30)
        check(True, "a killed one is lost, by its port")
        engine.stop()
        eventually("the other has dropped the engine", lambda: one.members() == [], timeout=30)
        check(True, "stopped, it says so, and is dropped")


KEY = "000102030405060708090a0b0c0d0e0f"
PACKAGE = "org.apache.catalina.tribes.group.interceptors"
INTERCEPTORS = f"""<Interceptor className="{PACKAGE}.OrderInterceptor"/>
            <Interceptor className="{PACKAGE}.GzipInterceptor"/>
            <Interceptor className="{PACKAGE}.EncryptInterceptor" encryptionKey="{KEY}"/>
            <Interceptor className="{PACKAGE}.FragmentationInterceptor" maxSize="1024"/>"""


def interceptors():
    """Tomcats that number, compress, encrypt and divide what they send: the engine reads it all."""
    with Cluster(Settings(send_options=6, interceptors=INTERCEPTORS), hosts=2, network=Lan, agents=False,
                 extra_hosts=["engine"]) as cluster:
        key = cluster.directory / "channel.key"
        key.write_text(KEY)
        key.chmod(0o640)
        engine = cluster.engine(cluster.extra_hosts[0], settings=f"""
[channel]
interceptors = order, gzip, encrypt, fragmentation
fragment-size = 1k
encryption-key = {key}
""")
        cluster.start()
        engine.start()
        eventually("both Tomcats list the engine", lambda: all_list(cluster.tomcats, engine), timeout=20)
        visitor = cluster.visitor()
        for number in range(20):
            visitor.visit(cluster.tomcats[0].url("/app/session.jsp"), create=1, set="cart", to=str(number) * 500)
        check(trouble(cluster.tomcats) == [], "no error in the Tomcats' logs")
        engine.stop()
        goodbye = [line for line in engine.process.log_text().splitlines() if " goodbye: " in line][-1]
        came = int(goodbye.split("goodbye; ")[1].split()[0])
        check(came >= 20 and engine.events("messages_dropped") == 0, f"{came} messages came, and none was dropped")


def unheard():
    """Its heartbeats are lost, but its port answers: the Tomcats' TcpFailureDetector keeps it, and its own keeps them."""
    with Cluster(Settings(send_options=6), hosts=2, network=Lan, agents=False, extra_hosts=["engine"]) as cluster:
        engine = cluster.engine(cluster.extra_hosts[0])
        cluster.start()
        engine.start()
        eventually("both Tomcats list the engine", lambda: all_list(cluster.tomcats, engine), timeout=20)
        eventually("and it lists both", lambda: len(engine.members()) == 2, timeout=20)
        members = engine.members()
        engine.host.run("nft", "add table ip deaf; add chain ip deaf out { type filter hook output priority 0; }; "
                               "add rule ip deaf out ip daddr 224.0.0.0/4 drop; "
                               "add chain ip deaf in { type filter hook input priority 0; }; "
                               "add rule ip deaf in ip daddr 224.0.0.0/4 drop")
        time.sleep(8)
        check(all_list(cluster.tomcats, engine), "unheard for 8 s, it is still a member: its port answers their probes")
        check(engine.members() == members and engine.events("member_lost") == 0, "and they are its members still")
        write_sessions(cluster, 4)
        engine.host.run("nft", "delete table ip deaf")
        eventually("heartbeats again", lambda: engine.events("heartbeat") >= 1, timeout=10)
        check(trouble(cluster.tomcats) == [] and all_list(cluster.tomcats, engine), "and nothing was lost")


def keeps():
    """A Tomcat whose only peer is the engine loses nothing when it is killed; a logout is one."""
    with Cluster(Settings(send_options=6), hosts=1, network=Lan, agents=False, extra_hosts=["engine"]) as cluster:
        tomcat, = cluster.tomcats
        engine = cluster.engine(cluster.extra_hosts[0])
        engine.start()
        tomcat.start()
        visitors = [cluster.visitor() for _ in range(10)]
        for number, visitor in enumerate(visitors):
            visitor.visit(tomcat.url("/app/session.jsp"), create=1, set="cart", to=f"book-{number}")
        visitors[0].visit(tomcat.url("/app/session.jsp"), logout=1)
        tomcat.kill()
        tomcat.start()
        check(engine.events("answering", tomcat.member) == 2, "killed and started again, it asks the engine")
        check([visitor.visit(tomcat.url("/app/session.jsp")) for visitor in visitors] ==
              [None] + [{"cart": f"book-{number}"} for number in range(1, 10)],
              "and has 9 of 9 sessions back; the one that was logged out is gone")


def late():
    """An engine that comes to a running cluster with nothing asks a Tomcat, and then has what that has."""
    with compiled_classes() as classes, \
            Cluster(Settings(send_options=6, classes=classes), hosts=1, network=Lan, agents=False,
                    extra_hosts=["engine"]) as cluster:
        tomcat, = cluster.tomcats
        tomcat.start()
        filled = fill(cluster, [tomcat], 20)
        time.sleep(10)  # then it has surely been there before
        engine = cluster.engine(cluster.extra_hosts[0])
        engine.start()
        eventually("the engine is a member", lambda: all_list([tomcat], engine), timeout=20)
        check(engine.events("in_sync") == 0, "it does not pretend to know what the Tomcat had before")
        filled[0][0].visit(tomcat.url("/app/basket.jsp"))
        eventually("the engine is in sync", lambda: engine.events("in_sync", " with 20 sessions") == 1, timeout=20)
        check(engine.events("fetching", f"{tomcat.member} is asked for ") == 1, "the first request makes it ask the Tomcat, once")
        tomcat.kill()
        tomcat.start()
        count = whole(filled, [tomcat])
        check(count == 20, f"the Tomcat is killed and started again: {count} of 20 sessions are whole")
        check(trouble([tomcat]) == [], "no error in its log")


ON_DISK = """
[sessions]
ack = disk
"""
SESSIONS = 60


def start_at_once(engines, tomcats):
    for tomcat in tomcats:
        tomcat.rest()
    for part in engines:
        part.process.start()
    for tomcat in tomcats:
        tomcat.launch()
    for tomcat in tomcats:
        tomcat.wait_started()


def no_stall(tomcats):
    return not any("No session state sent" in tomcat.process.log_text() for tomcat in tomcats)


def no_alarm(engines):
    return all(engine.events("disk_failed") == 0 and engine.events("disk_damaged") == 0 for engine in engines)


def restart_all(version=10, engine_count=1):
    """Every Tomcat and every engine killed with -9 at one moment: all sessions whole, twice."""
    with compiled_classes() as classes, \
            Cluster(Settings(send_options=6, classes=classes, version=version, applications=(FOR_MEMBERS,)), hosts=3, network=Lan, agents=False,
                    extra_hosts=[f"engine-{number}" for number in range(1, engine_count + 1)]) as cluster:
        engines = [cluster.engine(host, settings=ON_DISK) for host in cluster.extra_hosts]
        for engine in engines:
            engine.start()
        start_at_once([], cluster.tomcats)
        check(no_stall(cluster.tomcats), "three Tomcats that start at one moment ask an engine, and none waits")
        filled = fill(cluster, cluster.tomcats, SESSIONS)
        gone = cluster.visitor()
        gone.visit(cluster.tomcats[0].url("/app/session.jsp"), create=1)
        gone.visit(cluster.tomcats[1].url("/app/session.jsp"), logout=1)
        ann = logged_in(cluster, cluster.tomcats[2])
        check(trouble(cluster.tomcats) == [], f"{SESSIONS} sessions on Tomcats {version}, no error in their logs")

        for what in ("the engines first", "all at one moment"):
            for part in [*engines, *cluster.tomcats]:
                part.kill()
            if what == "the engines first":
                for engine in engines:
                    engine.start()
                start_at_once([], cluster.tomcats)
            else:
                start_at_once(engines, cluster.tomcats)
            count = whole(filled, cluster.tomcats)
            check(count == SESSIONS, f"all killed with -9 and started again, {what}: {count} of {SESSIONS} sessions are whole")
            check(no_stall(cluster.tomcats), "no Tomcat had to wait")
            check(all(gone.visit(tomcat.url("/app/session.jsp")) is None for tomcat in cluster.tomcats),
                  "the one that was logged out is gone")
            check(still_logged_in(ann, cluster.tomcats), "who was logged in still is, on every Tomcat")
        check(no_alarm(engines), "no alarm")


def pair():
    """Two engines hold the same; the second one, which comes later, is filled by the first."""
    with Cluster(Settings(send_options=6), hosts=1, network=Lan, agents=False,
                 extra_hosts=["engine-1", "engine-2"]) as cluster:
        tomcat, = cluster.tomcats
        first, second = (cluster.engine(host) for host in cluster.extra_hosts)
        first.start()
        tomcat.start()
        page = tomcat.url("/app/session.jsp")
        visitors = [cluster.visitor() for _ in range(10)]
        for visitor in visitors:
            visitor.visit(page, create=1, set="cart", to="a book")
        second.start()
        eventually("the second one is in sync", lambda: second.events("in_sync", " with 10 sessions") == 1, timeout=20)
        check(first.events("answering", f"{second.member} asks for every context") == 1, "the second is filled by the first")
        visitors[0].visit(page, set="cart", to="a pen")
        visitors[1].visit(page, logout=1)
        first.stop()
        tomcat.kill()
        tomcat.start()
        check([visitor.visit(page) for visitor in visitors] ==
              [{"cart": "a pen"}, None] + 8 * [{"cart": "a book"}],
              "the first one is stopped, the Tomcat killed and started again: the second gives back every session")


def acknowledged():
    """`ack = peer`: what a Tomcat was told is safe is in the other engine, though that Tomcat never reached it."""
    with Cluster(Settings(send_options=6), hosts=1, network=Lan, agents=False,
                 extra_hosts=["engine-1", "engine-2"]) as cluster:
        tomcat, = cluster.tomcats
        first, second = (cluster.engine(host, settings="[sessions]\nack = peer\n") for host in cluster.extra_hosts)
        first.start()
        second.start()
        tomcat.start()
        eventually("each engine has the other and the Tomcat",
                   lambda: all(len(engine.members()) == 2 for engine in (first, second)), timeout=20)
        address, port = second.member.split(":")
        tomcat.host.run("nft", "add table ip cut; add chain ip cut out { type filter hook output priority 0; }; "
                               f"add rule ip cut out ip daddr {address} tcp dport {port} reject with tcp reset")
        page = tomcat.url("/app/session.jsp")
        visitors = [cluster.visitor() for _ in range(20)]
        for visitor in visitors:
            visitor.visit(page, create=1, set="cart", to="a book")
        visitors[0].visit(page, logout=1)
        first.kill()
        tomcat.kill()
        counters = {counter["name"]: counter["count"] for counter in second.tell("status")[1]["counters"]}
        check(counters["created"] == 0, "of the Tomcat itself the second engine has heard nothing")
        tomcat.host.run("nft", "delete table ip cut")
        tomcat.start()
        check([visitor.visit(page) for visitor in visitors] == [None] + 19 * [{"cart": "a book"}],
              "first engine and Tomcat are killed: the second has all that was acknowledged")

        trouble_before = len(trouble([tomcat]))
        check(visitors[1].visit(page, set="cart", to="a pen") is not None and len(trouble([tomcat])) > trouble_before,
              "with no engine left for a copy the Tomcat is told that it is not safe, and serves")
        code, status = second.tell("status")
        check(code == 2 and status["copies"] == "failed" and second.events("copies_failed") == 1, "an alarm, and critical")
        first.start()
        eventually("each has heard the other again", lambda: all(
            engine.tell("status")[1]["copies"] == "ok" for engine in (first, second)), timeout=20)
        trouble_before = len(trouble([tomcat]))
        visitors[1].visit(page, set="cart", to="a pencil")
        check(len(trouble([tomcat])) == trouble_before and visitors[1].visit(page) == {"cart": "a pencil"},
              "and it is told again that what it sends is safe")


def tells_of_sessions(engine, cookies):
    code, listed = engine.tell("sessions", "--limit", "5")
    check(code == 0 and listed["total"] == 10 and len(listed["sessions"]) == 5 and
          not any(cookie in str(listed) for cookie in cookies), "sessions: 5 of 10, and no cookie among them")
    code, shown = engine.tell("session", cookies[0][:8])
    parts = {part["name"]: part for part in shown["parts"]}
    check(code == 0 and parts["cart"]["class"] == "java.lang.String" and "a book" not in str(shown),
          "session: by its first letters; names and classes, no value")
    check(engine.tell("session", "zzz")[0] == 2, "one that is not there is an error")


def told():
    """`tribecast engine`: what two engines say of two Tomcats, and that a Tomcat was cut off from the other."""
    with Cluster(Settings(send_options=8), hosts=2, network=Lan, agents=False,
                 extra_hosts=["engine-1", "engine-2"]) as cluster:
        first, second = (cluster.engine(host) for host in cluster.extra_hosts)
        first.start()
        second.start()
        cluster.start_tomcats()
        one, two = cluster.tomcats
        eventually("the first engine has all", lambda: len(first.members()) == 3, timeout=20)
        page = one.url("/app/session.jsp")
        visitors = [cluster.visitor() for _ in range(10)]
        for visitor in visitors:
            visitor.visit(page, create=1)
        eventually("both engines have ten sessions", lambda: all(
            engine.tell("status")[1]["sessions"] == 10 for engine in (first, second)), timeout=20)
        time.sleep(1)  # with option 8 a delta that overtakes its session's beginning is lost to a Tomcat
        for visitor in visitors:
            visitor.visit(page, set="cart", to="a book")
        code, status = first.tell("status")
        check(code == 0 and status["schema"] == "tribecast.engine-status/1" and status["verdict"]["level"] == "ok" and
              status["in_sync"] and status["disk"] == "ok", "status: in sync, well, ten sessions")
        members = {member["name"]: member for member in first.tell("members")[1]["members"]}
        check({name: member["kind"] for name, member in members.items()} ==
              {one.member: "tomcat", two.member: "tomcat", second.member: "engine"}, "members: two Tomcats and an engine")
        asked = [member["last_asked_seconds"] for engine in (first, second) for member in engine.tell("members")[1]["members"]
                 if member["kind"] == "tomcat"]  # each asks the member that it knows as the eldest
        check(any(seconds is not None for seconds in asked), f"and when they asked for sessions: {asked}")
        eventually("the engines agree", lambda: {member["name"]: member for member in first.tell("members")[1]["members"]}
                   [second.member]["agrees"] is True, timeout=20)

        tells_of_sessions(first, [visitor.session for visitor in visitors])
        time.sleep(4)  # what changed within 3 s is counted apart
        code, report = first.tell("verify")
        check(code == 0 and [member["outcome"] for member in report["members"]] == 3 * ["same"],
              "verify: both Tomcats and the other engine have the same")

        # The second Tomcat no longer hears what the first one sends, which goes on.
        one.host.run("nft", f"add table ip cut; add chain ip cut out {{ type filter hook output priority 0; }}; "
                            f"add rule ip cut out ip daddr {two.member.split(':')[0]} tcp dport {two.member.split(':')[1]} drop")
        visitors[0].visit(page, set="cart", to="a pen")
        fresh = cluster.visitor()
        fresh.visit(page, create=1, set="cart", to="new")
        eventually("the engine has it", lambda: first.tell("status")[1]["sessions"] == 11, timeout=20)
        time.sleep(5)
        code, report = first.tell("verify")
        found = {member["name"]: member for member in report["members"]}
        context = found[two.member]["contexts"][0]
        check(code == 1 and found[one.member]["outcome"] == "same" and found[second.member]["outcome"] == "same",
              "cut off from the first, the second Tomcat is the only one that differs")
        check(context["lacks"] == 1 and context["older"] + context["differs"] == 1 and context["here"] == 11,
              f"it lacks a session, and has an old state of another: {context}")
        check(["cart"] in [example["names"] for example in context["examples"]], "whose attribute is named")
