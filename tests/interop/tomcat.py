"""One real Tomcat, as Debian packages it or as its project publishes it, with a CATALINA_BASE of its own."""

import dataclasses
import os
import pathlib
import re
import shutil
import time

import browser
import distribution
from process import Failed, Process, eventually

HERE = pathlib.Path(__file__).parent
JARS = pathlib.Path("/usr/share/java")

DELTA = ('<Manager className="org.apache.catalina.ha.session.DeltaManager" '
         'expireSessionsOnShutdown="false" notifyListenersOnReplication="true" processExpiresFrequency="1"/>')
BACKUP = ('<Manager className="org.apache.catalina.ha.session.BackupManager" '
          'expireSessionsOnShutdown="false" notifyListenersOnReplication="true" processExpiresFrequency="1" '
          'mapSendOptions="{options}"/>')
REPLICATED_CONTEXT = 'className="org.apache.catalina.ha.context.ReplicatedContext"'
FARM_DEPLOYER = ('<Deployer className="org.apache.catalina.ha.deploy.FarmWarDeployer" tempDir="{base}/farm-temp/" '
                 'deployDir="{base}/webapps/" watchDir="{base}/farm/" watchEnabled="{watches}" '
                 'processDeployFrequency="1"/>')

# Small and quick to start; a Tomcat in production has other flags.
JVM_FLAGS = ["-Xmx128m", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
             "-Djava.security.egd=file:/dev/./urandom", "-Duser.language=en"]
# As each catalina.sh has them for a JVM of today.
OPENED = [f"--add-opens={package}=ALL-UNNAMED" for package in (
    "java.base/java.lang", "java.base/java.lang.reflect", "java.base/java.io", "java.base/java.util",
    "java.base/java.util.concurrent", "java.rmi/sun.rmi.transport")]
DISPATCH = {7: "MessageDispatch15Interceptor"}  # what its manual shows, where it is another one

WEB_XML = """<?xml version="1.0" encoding="UTF-8"?>
<web-app>
  <servlet>
    <servlet-name>jsp</servlet-name>
    <servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class>
    <init-param><param-name>development</param-name><param-value>false</param-value></init-param>
    <init-param><param-name>compilerSourceVM</param-name><param-value>1.8</param-value></init-param>
    <init-param><param-name>compilerTargetVM</param-name><param-value>1.8</param-value></init-param>
  </servlet>
  <servlet-mapping><servlet-name>jsp</servlet-name><url-pattern>*.jsp</url-pattern></servlet-mapping>
</web-app>
"""
CONTEXT_XML = '<Context><JarScanner><JarScanFilter tldSkip="*" pluggabilitySkip="*"/></JarScanner></Context>\n'
USERS_REALM = '<Realm className="org.apache.catalina.realm.MemoryRealm" pathname="conf/users.xml"/>'
USERS = '<tomcat-users><user username="ann" password="secret" roles="member"/></tomcat-users>\n'
LOGGING = """handlers = java.util.logging.ConsoleHandler
.handlers = java.util.logging.ConsoleHandler
java.util.logging.ConsoleHandler.formatter = org.apache.juli.OneLineFormatter
"""


MEMBERSHIP_CHANGE = re.compile(
    r"^(\S+ \S+) .*(Replication member added|Received member disappeared):\[.*?"
    r"tcp://\{([-\d, ]+)\}:(\d+),.*? id=\{([-\d ]+)\}", re.M)


@dataclasses.dataclass(frozen=True)
class MembershipChange:
    at: float      # seconds of the wall clock; Tomcat's log has milliseconds
    gone: bool     # else added
    member: str    # HOST:PORT
    identity: str  # another one after each start


@dataclasses.dataclass(frozen=True)
class Application:
    """The test application once more: under another path, on a virtual host, with a descriptor of its own."""
    path: str
    host: str = "localhost"
    descriptor: str = ""  # a file beside its web.xml
    attributes: str = ""  # of <Context>
    manager: str = ""     # another one than the cluster's


@dataclasses.dataclass(frozen=True)
class Settings:
    """What differs between the Tomcats of the tests."""
    manager: str = DELTA
    send_options: int = 6
    jvm_route: bool = False
    version: int = 10             # 7 is 7.0, 8 is 8.5, 10 is 10.1
    context: str = ""             # attributes of the test application's <Context>
    classes: str = ""             # a directory that becomes the test application's WEB-INF/classes
    backup_context: bool = False  # also run the test application as /backup with a BackupManager
    applications: tuple = ()      # Applications, beside /app
    cluster_in: str = "Host"      # or "Engine": the element that the Cluster is in
    valves: str = ""              # of the Host
    connector: str = ""           # more attributes of the HTTP <Connector>
    service: str = ""             # and of the <Service>
    deployer: str = ""
    interceptors: str = ""        # <Interceptor> elements above the TcpFailureDetector
    static_members: str = ""      # a StaticMembershipInterceptor
    membership: str = ""          # more attributes of <Membership>
    frequency: int = 500          # of the heartbeats, in ms
    jvm_flags: tuple = ()         # more of them


def missing_packages(versions=(9, 10)):
    wanted = {"openjdk-17-jdk-headless": "/usr/bin/java"}
    if 10 in versions:
        wanted["tomcat10"] = "/usr/share/tomcat10/bin/bootstrap.jar"
    if 9 in versions:
        wanted["libtomcat9-java"] = JARS / "tomcat9-catalina.jar"
    return [package for package, path in wanted.items() if not os.path.exists(path)]


class Tomcat:
    """instance counts the Tomcats of one host: 1, 2, ..."""

    def __init__(self, host, directory, settings, instance=1, outlives_harness=False):
        self.host = host
        self.name = host.name if instance == 1 else f"{host.name}-{instance}"
        self.settings = settings
        self.http_port = 8080 + 100 * (instance - 1)
        self.ajp_port = 8009 + 100 * (instance - 1)
        self.member = f"{host.address}:{3999 + instance}"
        self.base = pathlib.Path(directory) / self.name
        self._may_start_at = 0
        self._write_base()
        self.process = Process(host, self._java(), self.base / "catalina.out", outlives_harness=outlives_harness)

    def start(self):
        """Returns when every web application runs and requests are served."""
        self.launch()
        self.wait_started()

    def launch(self):
        self.rest()
        self.process.start()

    def rest(self):
        """Until it may start."""
        time.sleep(max(0, self._may_start_at - time.monotonic()))

    def wait_started(self, timeout=120):
        def answers():
            if not self.process.running():
                raise Failed(f"{self.name} ended while starting, see {self.process.log}")
            try:
                return "ready" in self.node()
            except OSError:
                return False
        eventually(f"{self.name} serves requests", answers, timeout)

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()
        # A Tomcat that is back on the same port before the others' drop time has passed leaves a ghost of its former
        # self in them, with any transport: their TcpFailureDetector finds the port open and keeps the old member id.
        self._may_start_at = time.monotonic() + 5

    def url(self, path):
        return f"http://{self.host.address}:{self.http_port}{path}"

    def node(self, query=""):
        """What node.jsp says: {name: [values]}."""
        reply = browser.get(self.host.reached_from, self.url("/app/node.jsp" + query))
        return reply.fields()

    def members(self):
        """The other members that this Tomcat's channel lists, as HOST:PORT, sorted."""
        return sorted(self.node().get("member", []))

    def sessions(self, context="/app"):
        """The ids of the sessions that this node holds."""
        return self.node().get(f"held.{context}", [])

    def holds(self, session_id):
        return session_id in self.sessions()

    def members_dropped(self):
        """How often this Tomcat said that a member is gone, since its first start."""
        return self.process.log_text().count("Received member disappeared")

    def membership_changes(self, since=0):
        """What this Tomcat's log says of other members, in its order, from that time of the wall clock on."""
        changes = (_membership_change(*found) for found in MEMBERSHIP_CHANGE.findall(self.process.log_text()))
        return [change for change in changes if change.at >= since]

    def state_transfers(self):
        """How often a starting Tomcat received all sessions from another one."""
        return self.process.log_text().count("session state sent at")

    def _write_base(self):
        for part in ("conf", "webapps", "work", "temp", "logs", "farm", "farm-temp"):
            (self.base / part).mkdir(parents=True)
        (self.base / "conf/server.xml").write_text(self._server_xml())
        (self.base / "conf/web.xml").write_text(WEB_XML)
        (self.base / "conf/context.xml").write_text(CONTEXT_XML)
        (self.base / "conf/logging.properties").write_text(LOGGING)
        (self.base / "conf/users.xml").write_text(USERS)
        shutil.copytree(HERE / "webapp", self.base / "application")
        if self.settings.classes:
            shutil.copytree(self.settings.classes, self.base / "application/WEB-INF/classes")

    def reconfigure(self, settings):
        """From the next start on."""
        self.settings = settings
        (self.base / "conf/server.xml").write_text(self._server_xml())

    def _server_xml(self):
        settings = self.settings
        contexts = f'<Context path="/app" docBase="{self.base}/application" {settings.context}/>'
        if settings.backup_context:
            contexts += "\n" + self._context(Application("/backup", manager=BACKUP))
        contexts += "".join(f"\n{self._context(one)}" for one in settings.applications if one.host == "localhost")
        cluster = self._cluster_xml()
        return (HERE / "server.xml.in").read_text().format(
            http_port=self.http_port, ajp_port=self.ajp_port, connector=settings.connector, service=settings.service,
            jvm_route=f'jvmRoute="{self.name}"' if settings.jvm_route else "",
            in_engine=USERS_REALM + (cluster if settings.cluster_in == "Engine" else ""),
            in_host=(cluster if settings.cluster_in == "Host" else "") + settings.valves,
            contexts=contexts, virtual_hosts=self._virtual_hosts_xml())

    def _cluster_xml(self):
        settings = self.settings
        return (HERE / "cluster.xml.in").read_text().format(
            send_options=settings.send_options, manager=settings.manager.format(options=settings.send_options),
            deployer=settings.deployer.format(base=self.base, watches=str(self.host.number == 1).lower()),
            membership=settings.membership.format(address=self.host.address), frequency=settings.frequency,
            interceptors=settings.interceptors, dispatch=DISPATCH.get(settings.version, "MessageDispatchInterceptor"),
            static_members=settings.static_members)

    def _context(self, application):
        base = self.base / "application"
        own = f'altDDName="{base}/WEB-INF/{application.descriptor}"' if application.descriptor else ""
        return (f'<Context path="{application.path}" docBase="{base}" {own} {application.attributes}>'
                f'{application.manager.format(options=self.settings.send_options)}</Context>')

    def _virtual_hosts_xml(self):
        by_host = {}
        for one in self.settings.applications:
            if one.host != "localhost":
                by_host.setdefault(one.host, []).append(self._context(one))
        return "\n".join(f'<Host name="{name}" appBase="{name}" autoDeploy="false">{"".join(contexts)}</Host>'
                         for name, contexts in by_host.items())

    def _java(self):
        if self.settings.version == 9:
            # Debian has Tomcat 9 as a library only: no bootstrap.jar, so all jars go on the class path.
            jars = [str(jar) for jar in sorted(JARS.glob("tomcat9-*.jar")) if jar.is_symlink()]
            jars += ["/usr/share/java/eclipse-jdt-core.jar"]
            main = ["-cp", ":".join(jars), f"-Dcatalina.home={self.base}", "org.apache.catalina.startup.Bootstrap"]
        else:
            home = "/usr/share/tomcat10" if self.settings.version == 10 else distribution.home(self.settings.version)
            main = [*OPENED, "-cp", f"{home}/bin/bootstrap.jar:{home}/bin/tomcat-juli.jar", f"-Dcatalina.home={home}",
                    "org.apache.catalina.startup.Bootstrap"]
        return ["java", *JVM_FLAGS, *self.settings.jvm_flags, f"-Dcatalina.base={self.base}", f"-Djava.io.tmpdir={self.base}/temp",
                f"-Djava.util.logging.config.file={self.base}/conf/logging.properties",
                "-Djava.util.logging.manager=org.apache.juli.ClassLoaderLogManager", *main, "start"]


def _membership_change(stamp, what, host, port, identity):
    seconds, milliseconds = stamp.rsplit(".", 1)
    at = time.mktime(time.strptime(seconds, "%d-%b-%Y %H:%M:%S")) + int(milliseconds) / 1000
    address = ".".join(str(int(byte) % 256) for byte in host.split(","))
    return MembershipChange(at, what.startswith("Received"), f"{address}:{port}", identity)
