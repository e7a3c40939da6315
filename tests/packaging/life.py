"""The life of an installed package in a machine of its own with a real systemd (see machine.py).

The agent of another host, from the same package, is its peer:

    machine 10.81.1.2 --- router, unicast only --- other 10.81.2.2
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time

from formats import NEWER
from machine import Failed, HERE, Machine, Skipped, eventually

import agent
import network
from process import end_politely_on_signals
from relayed import DROP_SECONDS, RATE, Relayed

CONF = "/etc/tribecast/tribecast.conf"
KEYS = "/etc/tribecast/cluster.keys"
PASSED, FAILED, SKIPPED = 0, 1, 77
TOMCATS = [f"tomcat{version}.service" for version in ("", 7, 8, 9, 10, 11)]
WAIT = "tribecast-wait-online.service"
SECURITY_AT_MOST = 1.6
WATCHDOG_SECONDS = 5


class Format:
    """How packages of one kind are installed and removed; the rest of their life is the same."""

    name = ""
    tools = ()
    system = None  # the machine's, when it is another than this (see Machine)
    keeps_files = True  # its upgrade replaces a configuration that nobody has edited, and gives keys their mode

    def built(self, directory):
        """The package, and the same with a higher version and NEWER as the last line of the configuration it ships."""
        raise NotImplementedError

    def unpack(self, package, directory):
        raise NotImplementedError

    def install(self, machine, package):
        raise NotImplementedError

    def upgrade(self, machine, package):
        raise NotImplementedError

    def downgrade(self, machine, package):
        raise NotImplementedError

    def version(self, machine):
        raise NotImplementedError

    def removed(self, machine, before):
        """Removes it and looks at what remains: before is what the machine had written without it."""
        raise NotImplementedError


def say(text):
    print(f"{pathlib.Path(sys.argv[0]).name}: {text}", flush=True)


def check(what, holds, told=""):
    if not holds:
        raise Failed(f"{what}: {told}")
    say(f"ok: {what}")


def equal(what, have, wanted):
    check(what, have == wanted, f"expected {wanted!r}, have {have!r}")


def tribecast(machine, *words):
    return machine.run("tribecast", *words, check=False)


def status(machine):
    return json.loads(tribecast(machine, "--json", "status").stdout)


@contextlib.contextmanager
def telling(tell):
    """A failure goes on, after what this tells."""
    try:
        yield
    except Failed:
        tell()
        raise


def tell(machine):
    """What helps to understand a failure."""
    say(machine.shell("systemctl status --no-pager --full tribecast; journalctl --no-pager -n 60", check=False))


# --- the steps of its life -----------------------------------------------------------------------


def installs(machine, form, package):
    form.install(machine, package)
    works_idle(machine)


def works_idle(machine):
    equal("enabled", machine.run("systemctl", "is-enabled", "tribecast").stdout.strip(), "enabled")
    equal("active", machine.property("ActiveState"), "active")
    equal("started once", machine.property("NRestarts"), "0")
    check("tells systemd how it is", "idle" in machine.property("StatusText"), machine.property("StatusText"))
    check("watched", int(machine.property("WatchdogTimestampMonotonic")) > 0)
    answer = tribecast(machine, "status")
    equal("status is good", answer.returncode, 0)
    equal("and idle", status(machine)["verdict"]["level"], "idle")


def runs_with_few_rights(machine):
    pid = machine.property("MainPID")
    told = dict(line.split(":", 1) for line in machine.shell(f"cat /proc/{pid}/status").splitlines())
    account = machine.shell("id -u tribecast")
    equal("runs as tribecast", told["Uid"].split(), [account] * 4)
    net_raw = f"{1 << 13:016x}"
    for which in ("CapEff", "CapPrm", "CapBnd"):
        equal(f"{which} is CAP_NET_RAW alone", told[which].strip(), net_raw)
    equal("programs that it would start get none", told["CapAmb"].strip(), f"{0:016x}")
    equal("no new privileges", told["NoNewPrivs"].strip(), "1")
    equal("system calls are filtered", told["Seccomp"].strip(), "2")
    rated_and_verified(machine, machine.property("FragmentPath"))


def rated_and_verified(machine, unit):
    if "--offline" not in machine.run("systemd-analyze", "--help").stdout:
        return say("this systemd rates no unit")
    score = machine.shell(f"systemd-analyze security --offline=true --no-pager {unit} 2>&1 | grep 'Overall exposure'")
    say(score)
    check("exposed at most 1.6", float(re.search(r": ([0-9.]+)", score)[1]) <= SECURITY_AT_MOST, score)
    verdict = machine.run("systemd-analyze", "verify", "--recursive-errors=no", unit, check=False)
    equal("the unit is right", (verdict.returncode, verdict.stderr), (0, ""))


def drop_in(machine, unit, *lines):
    """As `systemctl edit` makes it; without lines none."""
    directory = f"/etc/systemd/system/{unit}.service.d"
    machine.shell(f"rm -rf {directory}")
    if lines:
        text = "\\n".join(("[Service]", *lines))
        machine.shell(f"mkdir {directory}; printf '{text}\\n' >{directory}/test.conf")
    machine.run("systemctl", "daemon-reload")


def filters(machine):
    pid = machine.property("MainPID")
    return int(machine.shell(f"sed -n 's/^Seccomp_filters:\\t//p' /proc/{pid}/status"))


def filters_its_calls(machine):
    """From here on the agent is killed by a system call that its own filter forbids."""
    with_filter = filters(machine)
    for what in ("allow", "kill"):
        drop_in(machine, "tribecast", "ExecStart=",
                f"ExecStart=/usr/sbin/tribecastd --config {CONF} --forbidden-calls {what}")
        machine.run("systemctl", "restart", "tribecast")
        equal(f"has a filter of its own, but for: {what}", filters(machine), with_filter - (what == "allow"))


def owns_its_files(machine):
    modes = {
        CONF: "644 root:root", KEYS: "640 root:tribecast", "/run/tribecast": "750 tribecast:tribecast",
        "/run/tribecast/tribecast.sock": "660 tribecast:tribecast", "/var/lib/tribecast": "750 tribecast:tribecast",
        "/usr/sbin/tribecastd": "755 root:root", "/usr/bin/tribecast": "755 root:root",
    }
    for path, wanted in modes.items():
        equal(f"{path} is {wanted}", machine.shell(f"stat -c '%a %U:%G' {path}"), wanted)
    for unit in TOMCATS:
        check(f"before {unit}", unit in machine.property("Before").split())
        check(f"before {unit}: waiting", unit in machine.property("Before", WAIT).split())


def settings_can_be_read(machine):
    """Setting it is for packages.kernels: the machine may only read its kernel's settings."""
    told = machine.shell("SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console /lib/systemd/systemd-sysctl 60-tribecast.conf 2>&1")
    check("systemd-sysctl can read the kernel's settings", "net/core/rmem_max' to '4194304'" in told, told)


def refuses_a_bad_file(machine):
    before = machine.property("MainPID"), tribecast(machine, "config", "show").stdout
    machine.shell("printf '[relay]\\nlisten = nonsense\\n' >/etc/tribecast/conf.d/bad.conf")
    reload = machine.run("systemctl", "reload", "tribecast", check=False)
    check("a reload of a bad file fails", reload.returncode != 0)
    check("and says where", "bad.conf:2" in machine.shell("journalctl --no-pager -u tribecast"))
    equal("and changes nothing", (machine.property("MainPID"), tribecast(machine, "config", "show").stdout), before)
    equal("still active", machine.property("ActiveState"), "active")
    machine.shell("rm /etc/tribecast/conf.d/bad.conf")
    equal("a reload of good files succeeds",
          machine.run("systemctl", "reload", "tribecast", check=False).returncode, 0)


def joined(machine, other, directory, stack):
    for name, host in (("web-1", machine.host), ("web-2", other.host)):
        added = tribecast(machine, "peer", "add", name, host.address)
        equal(f"peer add {name}", added.returncode, 0)
    equal("its peer is up", tribecast(machine, "wait", "--peers", "all", "--timeout", "20s").returncode, 0)
    eventually("status tells systemd", lambda: "1 of" in machine.property("StatusText"), 10)
    return Relayed(machine, other, directory, stack, (check, say))


def survives(machine, relayed):
    relayed.comes_back("kill -9", lambda pid: machine.run("kill", "-9", pid))
    relayed.comes_back("restart", lambda pid: machine.run("systemctl", "restart", "tribecast"))
    seconds = WATCHDOG_SECONDS + DROP_SECONDS
    relayed.comes_back("a hang", lambda pid: machine.run("kill", "-STOP", pid), seconds, seconds * RATE)
    check("the watchdog saw it", "Watchdog timeout" in machine.shell("journalctl --no-pager -u tribecast"))


LIST_PEERS = """#!/usr/bin/python3
import json
rights = [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")][0]
print(json.dumps({"name": "found", "address": "10.99.0.1", "site": rights}))
"""


def finds_peers_by_a_program(machine):
    machine.run("sh", "-c", "cat >/usr/local/bin/list-peers; chmod 755 /usr/local/bin/list-peers", input=LIST_PEERS)
    machine.shell("printf '[discovery \"list\"]\\nexec = /usr/local/bin/list-peers\\n' >/etc/tribecast/conf.d/list.conf")
    reload = machine.run("systemctl", "reload", "tribecast", check=False)
    check("an agent that started without programs starts none after a reload", reload.returncode != 0)
    check("and says what to do", "restart it" in machine.shell("journalctl --no-pager -u tribecast"))
    machine.run("systemctl", "restart", "tribecast")
    eventually("the program's peer is there", lambda: "found" in peer_sites(machine), 20)
    equal("the program had no capability", peer_sites(machine)["found"], f"{0:016x}")
    machine.shell("rm /etc/tribecast/conf.d/list.conf /usr/local/bin/list-peers")
    machine.run("systemctl", "restart", "tribecast")


def peer_sites(machine):
    return {peer["name"]: peer["site"] for peer in json.loads(tribecast(machine, "--json", "peers").stdout)["peers"]}


# Stands for a Tomcat: systemd looks at nothing but when it starts.
TOMCAT = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"


def has_waited(machine, unit):
    equal(f"{unit}: it has waited for its peers", machine.property("Result", WAIT), "success")
    check(f"before {unit}", 0 < int(machine.property("ExecMainExitTimestampMonotonic", WAIT))
          <= int(machine.property("ExecMainStartTimestampMonotonic", unit)))


def holds_another_unit_back(machine):
    """With the drop-in of docs/installation.md."""
    lines = (HERE.parents[1] / "docs/installation.md").read_text().split("has another name")[1].splitlines()
    text = "\n".join(line.strip() for line in lines if line.startswith("    ")) + "\n"
    place = "/etc/systemd/system/tomcat@.service"
    machine.run("sh", "-c", f"cat >{place}", input=TOMCAT)
    machine.run("sh", "-c", f"mkdir {place}.d; cat >{place}.d/tribecast.conf", input=text)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "tomcat@shop")
    has_waited(machine, "tomcat@shop.service")
    machine.run("systemctl", "stop", "tomcat@shop")
    machine.shell(f"rm -r {place} {place}.d; systemctl daemon-reload")


def holds_tomcat_back(machine, other):
    def tomcat(*words):
        machine.run("systemctl", *words, "tomcat10.service")

    def is_active():
        return machine.property("ActiveState", "tomcat10.service") == "active"

    machine.run("sh", "-c", "cat >/etc/systemd/system/tomcat10.service", input=TOMCAT)
    equal("opt in", machine.run("systemctl", "is-enabled", WAIT, check=False).stdout.strip(), "disabled")
    holds_another_unit_back(machine)
    machine.run("systemctl", "enable", WAIT)
    tomcat("start")
    has_waited(machine, "tomcat10.service")
    tomcat("stop")
    other.stop()
    tomcat("start", "--no-block")
    eventually("it waits", lambda: machine.property("ActiveState", WAIT) == "activating", 10)
    time.sleep(0.5)
    check("Tomcat waits, too", not is_active())
    other.start()
    eventually("a peer is there: Tomcat starts", is_active, 20)
    tomcat("stop")
    other.stop()
    drop_in(machine, "tribecast-wait-online", 'Environment="TRIBECAST_WAIT=--peers all --timeout 1s"')
    tomcat("start")
    equal("time is up", machine.property("ExecMainStatus", WAIT), "2")
    check("Tomcat starts all the same", is_active())
    tomcat("stop")
    other.start()
    drop_in(machine, "tribecast-wait-online")
    machine.run("systemctl", "disable", WAIT)
    machine.shell("rm /etc/systemd/system/tomcat10.service; systemctl daemon-reload; systemctl reset-failed")


def keeps_its_files(machine, form, package, newer):
    keys = (KEYS, "/etc/tribecast/private.key")
    for what, change, replaced in (("upgrade", lambda: form.upgrade(machine, newer), True),
                                   ("downgrade", lambda: form.downgrade(machine, package), False)):
        for key in keys:  # as another user's scp leaves them
            machine.shell(f"touch {key}; chown root:root {key}; chmod 644 {key}")
        change()
        equal(f"{what}: a configuration that nobody has edited is the new one",
              machine.shell(f"tail -n 1 {CONF}") == NEWER, replaced)
        for key in keys:
            equal(f"{what}: {key} is the agent's", machine.shell(f"stat -c '%a %U:%G' {key}"), "640 root:tribecast")
        equal(f"{what}: active", machine.property("ActiveState"), "active")
    machine.shell(f"rm {keys[1]}")


def upgrades(machine, relayed, form, package, newer):
    machine.shell(f"echo '# mine' >>{CONF}")
    keys = machine.shell(f"sha256sum {KEYS}")
    for what, change in (("upgrade", lambda pid: form.upgrade(machine, newer)),
                         ("downgrade", lambda pid: form.downgrade(machine, package))):
        before = form.version(machine)
        relayed.comes_back(what, change)
        equal(f"{what}: my configuration stays", machine.shell(f"tail -n 1 {CONF}"), "# mine")
        equal(f"{what}: the keys stay", machine.shell(f"sha256sum {KEYS}"), keys)
        check(f"{what}: the version is another", form.version(machine) != before)


def boots_with_it(machine):
    wanted = machine.run("systemctl", "show", "--value", "--property", "Wants", "multi-user.target").stdout.split()
    check("started by every boot", "tribecast.service" in wanted, wanted)


def fails_plainly(machine):
    machine.shell("printf '[relay]\\nlisten = nonsense\\n' >/etc/tribecast/conf.d/bad.conf")
    restart = machine.run("systemctl", "restart", "tribecast", check=False)
    check("a start with a bad file fails", restart.returncode != 0)
    time.sleep(0.5)
    equal("and is not tried again", (machine.property("ActiveState"), machine.property("NRestarts")), ("failed", "0"))
    machine.shell("rm /etc/tribecast/conf.d/bad.conf")
    machine.run("systemctl", "restart", "tribecast")


# -------------------------------------------------------------------------------------------------


def programs_of(form, package, directory):
    (directory / "programs").mkdir()
    form.unpack(package, directory / "programs")
    (directory / "bin").mkdir()
    for program in ("usr/sbin/tribecastd", "usr/bin/tribecast"):
        (directory / "bin" / pathlib.Path(program).name).symlink_to(directory / "programs" / program)
    os.environ["TRIBECAST_BIN_DIR"] = str(directory / "bin")


def other_agent(machine, host, hosts, directory, stack):
    keyring = directory / "cluster.keys"
    keyring.touch(mode=0o600)
    keyring.write_text(machine.shell(f"cat {KEYS}") + "\n")
    other = agent.Agent(host, directory, hosts, keyring)
    other.start()
    stack.callback(other.stop)
    return other


def gone(machine):
    """Nothing runs, and systemd knows nothing."""
    equal("stopped", machine.shell("pgrep -x tribecastd || echo none"), "none")
    known = machine.run("systemctl", "list-units", "--all", "--no-legend", "--plain", "tribecast*").stdout
    equal("systemd knows nothing of it", known, "")


def life(form, directory, stack):
    package, newer = form.built(directory)
    programs_of(form, package, directory)
    net = network.RoutedNetwork(network.own_prefix(), ["machine", "other"])
    stack.callback(net.remove)
    machine = Machine(net.hosts[0], directory, form.system)
    stack.callback(machine.power_off)
    machine.boot()
    stack.enter_context(telling(lambda: tell(machine)))
    before = machine.written()
    newer = machine.copy_in(newer, f"newer.{form.name}")
    package = machine.copy_in(package, f"tribecast.{form.name}")
    installs(machine, form, package)
    runs_with_few_rights(machine)
    filters_its_calls(machine)
    owns_its_files(machine)
    settings_can_be_read(machine)
    refuses_a_bad_file(machine)
    other = other_agent(machine, net.hosts[1], net.hosts, directory, stack)
    relayed = joined(machine, other, directory, stack)
    survives(machine, relayed)
    holds_tomcat_back(machine, other)
    if form.keeps_files:
        keeps_its_files(machine, form, package, newer)
    upgrades(machine, relayed, form, package, newer)
    if machine.run("python3", "-c", "import json", check=False).returncode == 0:
        finds_peers_by_a_program(machine)
    boots_with_it(machine)
    fails_plainly(machine)
    drop_in(machine, "tribecast")
    form.removed(machine, before)


def main(form):
    tools = ("ip", "unshare", "nsenter", "pivot_root", "systemd-analyze", *form.tools)
    missing = [tool for tool in tools if not shutil.which(tool)]
    if os.geteuid() != 0 or missing:
        say(f"SKIP: needs {', '.join(missing) or 'root'}")
        return SKIPPED
    end_politely_on_signals()
    network.remove_abandoned()
    try:
        with tempfile.TemporaryDirectory(prefix=f"tribecast-{form.name.replace('.', '-')}-") as name, contextlib.ExitStack() as stack:
            life(form, pathlib.Path(name), stack)
    except Skipped as reason:
        say(f"SKIP: {reason}")
        return SKIPPED
    except Failed as failure:
        say(f"FAIL: {failure}")
        return FAILED
    return PASSED

