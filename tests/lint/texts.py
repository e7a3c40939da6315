#!/usr/bin/env python3
"""Checks that the page of `status --web` has a Chinese text for each reason and event that the agent can give.
usage: texts.py TOP | texts.py --self-test"""
import pathlib
import re
import sys
import tempfile

import command

PAGE = "agent/cli/web/app.js"
# Where ids are made: `problem()` is a warning and an event.
WARNINGS = [r'\bproblem\(\s*"(\w+)"', r'\bpush_back\(\s*\{"(\w+)",', r'\breturn \{"([a-z]+_\w+)",']
EVENTS = [r'\bEventLine\{[^"]*"(\w+)"', r'\b(?:note|on_event)\(\s*Severity::\w+,\s*"(\w+)"', WARNINGS[0]]
STATES = re.compile(r"kPeerStates = \{([^}]*)\}")
REFUSED = re.compile(r"return Reason::(\w+_member)|std::optional\(Reason::(\w+)\)")


def made(top, folder, patterns):
    ids = set()
    for file in sorted((top / folder).glob("*.cc")):
        for pattern in patterns:
            ids |= set(re.findall(pattern, file.read_text()))
    return ids


def reasons(top):
    states = STATES.search((top / "agent/control/status.h").read_text())
    ids = {"peer_" + state for state in re.findall(r'"(\w+)"', states[1])} - {"peer_up", "peer_self"}
    for pair in REFUSED.findall((top / "agent/relay/core_members.cc").read_text()):
        ids |= set(filter(None, pair))
    return ids | made(top, "agent/daemon", WARNINGS)


def chinese(page, table):
    body = re.search(table + r": \{(.*?)\}[,\s]*\n", page[page.index("\n  zh: {"):], re.S)
    return set(re.findall(r'(\w+): "[^"]*[一-鿿]', body[1])) if body else set()


def check_tree(top):
    top = pathlib.Path(top)
    page = (top / PAGE).read_text()
    known, events = chinese(page, "reasons"), made(top, "agent/daemon", EVENTS)
    if not events or not known:
        return [f"{PAGE}:1: the ids of events, or the Chinese texts, are not found as tests/lint/texts.py looks for them"]
    known_events = chinese(page, "eventNames") | {word for word in known if not word.startswith("peer_")}
    return [f"{PAGE}:1: no Chinese text for the {kind} {word}"
            for kind, missing in (("reason", reasons(top) - known), ("event", events - known_events))
            for word in sorted(missing)]


TREE = {
    PAGE: '\n  zh: {\n    reasons: { peer_lossy: "丢", no_x: "无", b_member: "址", slow: "慢" },\n    eventNames: { ready: "好" },\n',
    "agent/control/status.h": 'kPeerStates = {\n "up", "lossy", "self"};',
    "agent/relay/core_members.cc": "return Reason::b_member;",
    "agent/daemon/a.cc": 'problem("no_x", x); all.push_back({"slow", x}); note(\n Severity::notice, "ready", "");',
}
# A file, what is put there in place of what, and the id that is missed then.
CASES = [
    ("agent/daemon/a.cc", "no_x", "no_y", {"reason no_y", "event no_y"}),
    ("agent/daemon/a.cc", "slow", "slower", {"reason slower"}),
    ("agent/daemon/a.cc", "ready", "steady", {"event steady"}),
    ("agent/daemon/a.cc", "problem(", 'EventLine{k::x, y, "gone"}; problem(', {"event gone"}),
    ("agent/relay/core_members.cc", "b_member", "c_member", {"reason c_member"}),
    ("agent/control/status.h", "lossy", "lost", {"reason peer_lost"}),
    (PAGE, '"慢"', '"slow"', {"reason slow"}),
    (PAGE, "", "", set()),
]


def self_test():
    wrong = 0
    for changed, before, after, missed in CASES:
        with tempfile.TemporaryDirectory() as top:
            for name, text in TREE.items():
                file = pathlib.Path(top, name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text.replace(before, after) if name == changed and before else text)
            found = {line.split(" the ", 1)[1] for line in check_tree(top)}
            if found != missed:
                print(f"self-test: {after} in {changed}: found {sorted(found)}")
                wrong += 1
    print(f"{len(CASES)} cases, {wrong} wrong")
    return wrong


if __name__ == "__main__":
    sys.exit(command.run(__doc__, check_tree, self_test))
