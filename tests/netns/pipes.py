"""Runs every command of `tribecast help` with a standard output that nobody reads, and one that is full.
usage: pipes.py TOOL WORK"""
import os
import re
import subprocess
import sys

TOOL, WORK = sys.argv[1:]
SOCKETS = {"engine": WORK + "/engine.sock"}  # of commands that are not for the agent
KEYS = ["--keyring", WORK + "/other.keys"]
# What each command is given; what is not here is run as it is.
ARGUMENTS = {
    "ping": ["b", "--count", "1"],
    "wait": ["--peers", "all"],
    "events": ["--follow"],
    "status": [],
    "peer add": ["x", "10.99.0.1", "--config", WORK + "/a.conf"],
    "peer remove": ["x", "--config", WORK + "/a.conf"],
    "group join": ["y", "239.1.1.1:5000", "--config", WORK + "/a.conf"],
    "group leave": ["y", "--config", WORK + "/a.conf"],
    "config check": [WORK + "/a.conf"],
    "config init": ["--peers", "10.0.0.1", "--output", WORK + "/out/init.conf"],
    "import aliyun": [WORK + "/iplist"],
    "key list": KEYS,
    "key add": KEYS,
    "key use": ["1"] + KEYS,
    "key remove": ["2"] + KEYS,
    "bundle": ["-"],
    "bench": ["b", "--time", "1s"],
    "engine session": ["ABCD"],
    "help": [],
}
FOREVER = {"events", "watch", "capture"}  # end by themselves once nobody reads


def commands():
    text = subprocess.run([TOOL, "help"], capture_output=True, text=True, check=True).stdout
    section = text.split("COMMAND ...\n\n")[1].split("\noptions,")[0]
    for line in section.splitlines():
        usage = re.split(r"  +", line.strip())[0]
        words = re.match(r"[a-z]+( [a-z]+)?", usage)[0]
        needs = re.search(r" ([A-Z]+)", usage) is not None and "[" not in usage
        assert not needs or words in ARGUMENTS, f"tell this test what '{words}' is given"
        yield words


def run(words, **streams):
    socket = SOCKETS.get(words.split()[0], WORK + "/a.sock")
    command = [TOOL, "--socket", socket] + words.split() + ARGUMENTS.get(words, [])
    return subprocess.run(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60, **streams)


open(WORK + "/iplist", "w").write("228.0.0.4 45564\n10.0.0.1\n")
seen = list(commands())
assert {"status", "metrics", "check", "capture", "bundle", "firewall print"} <= set(seen), seen
for words in seen:
    read, write = os.pipe()
    os.close(read)
    result = run(words, stdout=write)
    os.close(write)
    complaint = result.stderr.decode()
    assert result.returncode in (0, 1, 2), (words, result.returncode, complaint)
    assert "cannot write" not in complaint and "roken pipe" not in complaint, (words, complaint)
    print("closed:", words, result.returncode)
# A full disk is an error, and told.
for words in ("status", "metrics", "check", "help", "version", "firewall print", "bundle"):
    result = run(words, stdout=open("/dev/full", "w"))
    assert result.returncode == 2 and b"cannot write" in result.stderr, (words, result)
    print("full:", words)
