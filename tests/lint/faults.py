#!/usr/bin/env python3
"""Every check of the doctor has a test that brings its fault about on a real kernel and looks that this check, and
no other than is named, finds it; and a row in the Chinese page. usage: faults.py TOP | faults.py --self-test"""
import pathlib
import re
import sys

CHECK = re.compile(r'Check\{\s*"(TC\d{3})"')
# `finds HOST TC010 TC012`; `finds(agent, ["TC031"], ...)`; `cluster_finds HOST TC050`.
SHELL = re.compile(r"\b(?:cluster_)?finds \S+((?: TC\d{3})+)")
PYTHON = re.compile(r'\bfinds\([^\n]*?\[("TC[^\]]*)\]')
# A test that is only run in the long form shows nothing every day.
LONG = re.compile(r'^if \[ -n "\$\{TRIBECAST_LONG:-\}" \]; then$.*?^fi$', re.M | re.S)


def tested(text):
    text = "\n".join(line for line in LONG.sub("", text).splitlines() if not line.lstrip().startswith("#"))
    found = SHELL.findall(text) + PYTHON.findall(text)
    return set(re.findall(r"TC\d{3}", " ".join(found)))


def untranslated(table, page):
    rows = re.findall(r"^\| (TC\d{3}) \| [^|]+ \| [^|]+ \|$", page, re.M)
    checks = CHECK.findall(table)
    return ([f"{check}: docs/zh/troubleshooting.md has no row for it" for check in checks if check not in rows] +
            [f"{row}: has a row in docs/zh/troubleshooting.md, but there is no such check" for row in rows
             if row not in checks])


def check(table, texts):
    checks = CHECK.findall(table)
    if not checks:
        return ["no check is found in the table"]
    covered = set().union(*(tested(text) for text in texts))
    missing = [f"{check}: no test in tests/netns or tests/interop brings its fault about"
               for check in checks if check not in covered]
    unknown = [f"{name}: is tested, but there is no such check" for name in sorted(covered - set(checks))]
    return missing + unknown


def self_test():
    table = 'Check{"TC001", "a",\nCheck{"TC002", "b",\nCheck{"TC003", "c",'
    shell = 'CHECK "x" finds b TC001 TC002\n'
    python = 'finds(cluster.agents[0], ["TC003"], "text")\n'
    assert check(table, [shell, python]) == []
    assert check(table, [shell]) == ["TC003: no test in tests/netns or tests/interop brings its fault about"]
    assert len(check(table, [shell, "# finds b TC003\n"])) == 1
    assert len(check(table, [shell, 'if [ -n "${TRIBECAST_LONG:-}" ]; then\n  finds a TC003\nfi\n'])) == 1
    assert check(table, [shell, python, "finds a TC009\n"]) == ["TC009: is tested, but there is no such check"]
    rows = "| TC001 | a | b |\n| TC002 | a | b |\n"
    assert untranslated(table, rows + "| TC003 | a | b |\n") == []
    assert untranslated(table, rows + "TC003\n") == ["TC003: docs/zh/troubleshooting.md has no row for it"]
    assert len(untranslated(table, rows + "| TC003 | a | b |\n| TC004 | a | b |\n")) == 1
    assert check("", [shell]) == ["no check is found in the table"]


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    top = pathlib.Path(sys.argv[1])
    files = sorted(top.glob("tests/netns/doctor*")) + [top / "tests/interop/test_doctor.py"]
    table = (top / "agent/doctor/checks.cc").read_text()
    faults = check(table, [file.read_text() for file in files])
    faults += untranslated(table, (top / "docs/zh/troubleshooting.md").read_text())
    print("\n".join(faults) or "every check has a test of its fault, and a row in Chinese")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
