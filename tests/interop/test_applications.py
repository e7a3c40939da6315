"""What else a Tomcat cluster carries besides sessions."""

import zipfile

import browser
import tomcat as tomcats
from cluster import Cluster, check
from process import eventually
from tomcat import Settings


def farm():
    """FarmWarDeployer: a WAR dropped into one node's watchDir runs on all."""
    with Cluster(Settings(deployer=tomcats.FARM_DEPLOYER)) as cluster:
        cluster.start()
        watched = cluster.tomcats[0].base / "farm"
        write_war(watched / "hello.part")
        (watched / "hello.part").rename(watched / "hello.war")
        for tomcat in cluster.tomcats:
            eventually(f"{tomcat.name} runs the application", lambda: says_hello(cluster, tomcat))
        check(True, "a WAR dropped on the first node runs on all three")


def write_war(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as war:
        war.writestr("WEB-INF/web.xml", "<web-app/>")
        war.writestr("index.jsp", '<%@ page session="false" %>hello')


def says_hello(cluster, tomcat):
    try:
        reply = browser.get(cluster.network.middle, tomcat.url("/hello/index.jsp"))
    except OSError:
        return False
    return reply.status == 200 and reply.text.strip() == "hello"


def replicated_context():
    """ReplicatedContext: attributes of the application, not of a visitor, are the same everywhere."""
    with Cluster(Settings(context=tomcats.REPLICATED_CONTEXT)) as cluster:
        cluster.start()
        first, second, third = cluster.tomcats
        first.node("?share=motto&to=fair")
        for tomcat in (second, third):
            eventually(f"{tomcat.name} has the attribute", lambda: tomcat.node().get("shared.motto") == ["fair"])
        check(True, "an application attribute set on the first node is on all three")
        first.kill()
        cluster.wait_complete()
        check(second.node().get("shared.motto") == ["fair"], "it outlives its node")
        first.start()
        eventually("the returned node has it", lambda: first.node().get("shared.motto") == ["fair"])
        check(True, "a node that starts again is given it")
