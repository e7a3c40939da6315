#!/usr/bin/env python3
"""Checks the directions of the house: which module may include which, and where each outside
library lives. usage: includes.py TOP | includes.py --self-test"""
import pathlib
import re
import sys
import tempfile

import command

# Module -> what it may include beside itself, as drawn in docs/architecture.md. Those of agent/ are named, and
# included, without that folder; those of engine/ with it.
MODULES = {
    "base": set(),
    "tribes": {"base"},
    "packet": {"base"},
    "seal": {"base"},
    "relay": {"base", "tribes", "packet", "seal"},
    "config": {"base"},
    "control": {"base"},
    "doctor": {"base", "config", "control"},
    "io": {"base"},
    "host": {"base", "packet", "io"},
    "daemon": {"base", "tribes", "packet", "seal", "relay", "config", "control", "io", "host"},
    "survey": {"base", "tribes", "config", "control", "doctor", "io"},
    "cli": {"base", "seal", "config", "control", "doctor", "survey"},
    "engine/java": {"base"},
    "engine/session": {"base", "engine/java"},
    "engine/map": {"base", "tribes", "engine/java", "engine/session"},
    "engine/channel": {"base", "tribes"},
    "engine/keeper": {"base", "tribes", "engine/java", "engine/session", "engine/map", "engine/channel"},
    "engine/report": {"base", "tribes", "control", "engine/java", "engine/session", "engine/map", "engine/channel",
                      "engine/keeper"},
    "engine/daemon": {"base", "tribes", "seal", "config", "control", "io", "engine/java", "engine/session", "engine/map",
                      "engine/channel", "engine/keeper", "engine/report"},
}

# Outside header -> the files, as beginnings of their path, that may include it.
LIBRARIES = [
    (r"pcap(\.h|/)", ["host/pcap_capture"]),
    (r"netlink/", ["host/link_monitor"]),
    (r"linux/rtnetlink\.h", ["host/link_monitor"]),
    (r"linux/(inet|sock)_diag\.h", ["host/sock_diag", "host/listener_watch"]),
    (r"sodium(\.h|/)", ["seal/", "base/digest"]),
    (r"ares(\.h|_)", ["io/"]),
    (r"boost/program_options", ["config/", "cli/", "daemon/main", "engine/daemon/main"]),
    (r"boost/asio", ["io/", "survey/", "daemon/", "engine/daemon/"]),
    (r"boost/", ["io/", "survey/", "daemon/", "config/", "cli/", "engine/daemon/"]),
    (r"(zlib|zconf)\.h", ["engine/channel/gzip"]),
    (r"openssl/", ["engine/channel/encrypt"]),
    (r"rocksdb/", ["engine/daemon/disk"]),
    (r"nlohmann/", ["control/"]),
    (r"fmt/", ["control/", "cli/", "config/", "daemon/", "engine/daemon/"]),
    (r"sys/capability\.h", ["host/privileges"]),
]

# The pure modules own no socket, file, clock, thread, log or random source.
PURE = {"base", "tribes", "packet", "seal", "relay", "config", "control", "doctor",
        "engine/java", "engine/session", "engine/map", "engine/channel", "engine/keeper", "engine/report"}
IMPURE = re.compile(
    r"(thread|mutex|shared_mutex|condition_variable|future|atomic|semaphore|fstream|iostream"
    r"|filesystem|random|unistd\.h|fcntl\.h|poll\.h|syslog\.h"
    r"|sys/(socket|stat|time|epoll|un|ioctl|random)\.h|netinet/.*|linux/.*)$")
# What reads the configuration's files, and the program that prints its reference page.
PURE_EXCEPTIONS = ["config/load", "config/keyring_file", "config/reference_main"]

# Single files that reach further than their module.
FURTHER = {
    "config/keyring_file": {"seal"},  # reads the files whose text seal parses
    "config/values": {"seal"},  # a peer's public key
    "survey/network": {"host"},  # /proc/net/igmp
    "daemon/member_watch": {"doctor"},  # /proc/net/tcp
}

# What the engine's program has in common with the agent's.
SHARED = {"engine/daemon": {"daemon/log.h", "host/accounts.h", "host/privileges.h"}}

# Clocks and random sources that a harmless header brings too.
IMPURE_NAME = re.compile(
    r"\b((steady|system|high_resolution)_clock::now|clock_gettime|random_device)\b")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def check_library(path, header):
    for pattern, places in LIBRARIES:
        if re.match(pattern, header):
            if any(path.startswith(place) for place in places):
                return None
            return f"<{header}> belongs to {' and '.join(places)} alone"
    return None


def module_of(path):
    words = path.split("/")
    return "/".join(words[:2]) if words[0] == "engine" else words[0]


def is_pure(path):
    return module_of(path) in PURE and not any(path.startswith(p) for p in PURE_EXCEPTIONS)


def check_include(path, quote, header):
    module = module_of(path)
    if quote == '"':
        target = module_of(header)
        if target not in MODULES or "/" not in header:
            return f'"{header}": own headers are included as "module/file.h"'
        allowed = {module} | MODULES[module] | FURTHER.get(path.rsplit(".", 1)[0], set())
        if target not in allowed and header not in SHARED.get(module, set()):
            return f"{module} must not include {target} ({header})"
        return None
    if is_pure(path) and IMPURE.match(header):
        return f"<{header}>: {module} is pure, it owns no socket, file, clock, thread or random source"
    return check_library(path, header)


def check_line(path, line):
    found = IMPURE_NAME.search(line.split("//")[0])
    if found and is_pure(path):
        return f"{found.group()}: {module_of(path)} is pure, time and random bytes are arguments"
    return None


def check_tree(top):
    top = pathlib.Path(top)
    findings = []
    for file in sorted([*(top / "agent").rglob("*"), *(top / "engine").rglob("*")]):
        if file.suffix not in (".h", ".cc"):
            continue
        name = file.relative_to(top).as_posix()
        path = name.removeprefix("agent/")
        if module_of(path) not in MODULES:
            findings.append(f"{name}:1: a module that tests/lint/includes.py does not know")
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            what = check_include(path, *match.groups()) if match else check_line(path, line)
            if what:
                findings.append(f"{name}:{number}: {what}")
    return findings


# Each line, alone in a tree, must be found (False) or must pass.
CASES = [
    ("base/a.h", '#include "tribes/member.h"', False),
    ("relay/a.cc", '#include "io/fd.h"', False),
    ("relay/a.cc", '  #  include "host/injector.h"', False),
    ("relay/a.cc", '#include "config/config.h"', False),
    ("relay/a.cc", '#include "control/status.h"', False),
    ("relay/a.cc", '#include "seal/noise.h"', True),
    ("config/a.cc", '#include "seal/keyring.h"', False),
    ("config/keyring_file.cc", '#include "seal/keyring.h"', True),
    ("config/keyring_file.cc", '#include "relay/core.h"', False),
    ("tribes/a.cc", '#include "packet/datagram.h"', False),
    ("io/a.cc", '#include "control/reply.h"', False),
    ("host/a.cc", '#include "packet/datagram.h"', True),
    ("host/a.cc", '#include "relay/core.h"', False),
    ("doctor/a.cc", '#include "control/status.h"', True),
    ("doctor/a.cc", '#include "io/fd.h"', False),
    ("doctor/a.cc", "#include <fstream>", False),
    ("survey/a.cc", '#include "doctor/facts.h"', True),
    ("survey/a.cc", '#include "host/membership.h"', False),
    ("cli/a.cc", '#include "survey/survey.h"', True),
    ("cli/a.cc", '#include "relay/core.h"', False),
    ("cli/a.cc", '#include "io/fd.h"', False),
    ("cli/a.cc", '#include "control/status.h"', True),
    ("daemon/a.cc", '#include "cli/table.h"', False),
    ("daemon/a.cc", '#include "relay/core.h"', True),
    ("base/a.h", '#include "bytes.h"', False),
    ("base/a.h", '#include "../tribes/member.h"', False),
    ("relay/a.cc", "#include <sodium.h>", False),
    ("seal/a.cc", "#include <sodium.h>", True),
    ("host/injector.cc", "#include <pcap/pcap.h>", False),
    ("host/pcap_capture.cc", "#include <pcap/pcap.h>", True),
    ("host/a.cc", "#include <boost/asio/post.hpp>", False),
    ("host/a.cc", "#include <netlink/netlink.h>", False),
    ("cli/a.cc", "#include <nlohmann/json.hpp>", False),
    ("host/a.cc", "#include <sys/capability.h>", False),
    ("relay/a.cc", "#include <thread>", False),
    ("relay/a.cc", "#include <random>", False),
    ("control/a.cc", "#include <sys/socket.h>", False),
    ("relay/a.cc", "#include <vector>", True),
    ("relay/a.cc", "auto t = std::chrono::steady_clock::now();", False),
    ("relay/a.cc", "int a;  // steady_clock is the edge's", True),
    ("control/a.h", "std::chrono::system_clock::time_point at;", True),
    ("io/a.cc", "auto t = std::chrono::steady_clock::now();", True),
    ("unknown/a.cc", "", False),
    ("engine/java/a.cc", '#include "engine/session/session.h"', False),
    ("engine/session/a.cc", '#include "engine/java/stream.h"', True),
    ("engine/session/a.cc", '#include "base/bytes.h"', True),
    ("engine/channel/a.cc", '#include "relay/core.h"', False),
    ("engine/channel/a.cc", "#include <thread>", False),
    ("engine/daemon/a.cc", '#include "engine/channel/channel.h"', True),
    ("engine/daemon/a.cc", '#include "daemon/agent.h"', False),
    ("engine/daemon/a.cc", '#include "daemon/log.h"', True),
    ("engine/channel/a.cc", '#include "daemon/log.h"', False),
    ("relay/a.cc", '#include "engine/java/stream.h"', False),
    ("engine/unknown/a.cc", "", False),
]


def self_test():
    wrong = 0
    for path, line, allowed in CASES:
        with tempfile.TemporaryDirectory() as top:
            file = pathlib.Path(top, path if path.startswith("engine/") else f"agent/{path}")
            file.parent.mkdir(parents=True)
            file.write_text(f"#pragma once\n{line}\n")
            if (not check_tree(top)) != allowed:
                print(f"self-test: {path}: {line!r} should {'pass' if allowed else 'be found'}")
                wrong += 1
    print(f"{len(CASES)} cases, {wrong} wrong")
    return wrong


sys.exit(command.run(__doc__, check_tree, self_test))
