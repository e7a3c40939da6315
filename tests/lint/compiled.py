#!/usr/bin/env python3
"""Runs a compiler's eye over agent/ and engine/, two files at a time, and remembers in the build folder what was
clean: a file is looked at again only when it, something it includes, the command or the rules
changed.

usage: compiled.py headers TOP BUILD        every header compiles alone
       compiled.py tidy TOP BUILD [OTHER]   clang-tidy-14 over all that the compile database names, that of OTHER if
                                            given: where modules are compiled as a whole, in a quarter of the time
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

JOBS = 2
SKIP = 77
TIDY = "clang-tidy-14"
# clang 14 has coroutines, but says so in no way that libstdc++ 12 and Boost 1.74 understand.
COROUTINES = ["-D__cpp_impl_coroutine=201902L", "-DBOOST_ASIO_HAS_CO_AWAIT=1",
              "-DBOOST_ASIO_HAS_STD_COROUTINE=1"]
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def own_file(top, name):
    """The header that "name" includes: those of engine/ are included with that folder, those of agent/ without."""
    return top / name if name.startswith("engine/") else top / "agent" / name


def closure(file, top):
    """The file and all of our headers that it includes, directly or not."""
    found, open_files = set(), [file]
    while open_files:
        current = open_files.pop()
        if current in found or not current.is_file():
            continue
        found.add(current)
        open_files += [own_file(top, name) for name in INCLUDE.findall(current.read_text())]
    return sorted(found)


def fingerprint(parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def compile_commands(top, build):
    """Source -> words of its command, for the sources of the product, and CMake's that include them."""
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if entry["file"].startswith(tuple(f"{place}/{part}/" for place in (top, build) for part in ("agent", "engine"))):
            commands[pathlib.Path(entry["file"])] = shlex.split(entry["command"])
    return commands


def header_flags(words):
    """The command without its launcher, source, outputs and dependency files."""
    start = 1 if os.path.basename(words[0]) == "ccache" else 0
    flags, skip = [], False
    for word in words[start:]:
        if skip:
            skip = False
        elif word in ("-o", "-MT", "-MF", "-c"):
            skip = True
        elif word not in ("-MD", "-g") and not word.startswith(("-fsanitize", "--coverage")):
            flags.append(word)
    return flags


def header_tasks(top, build):
    commands = {f: w for f, w in compile_commands(top, build).items() if f"-I{top}/agent" in w}
    for header in sorted([*(top / "agent").rglob("*.h"), *(top / "engine").rglob("*.h")]):
        # The flags of a source of the same module; a module without one uses any.
        module = header.parent.relative_to(top)
        near = [w for f, w in sorted(commands.items())
                if f.parent == header.parent or f.is_relative_to(build / module)]
        words = header_flags(near[0] if near else next(iter(commands.values())))
        name = header.relative_to(top).as_posix()
        command = words + ["-fsyntax-only", "-x", "c++", "-"]
        included = name.removeprefix("agent/")
        yield name, closure(header, top), command, f'#include "{included}"\n'


def tidy_tasks(top, build):
    for source, words in sorted(compile_commands(top, build).items()):
        whole = source.is_relative_to(build)
        command = [TIDY, "--quiet", "-p", str(build), *(f"--extra-arg={word}" for word in COROUTINES)]
        command += ["--checks=-bugprone-suspicious-include"] * whole + [str(source)]
        files = closure(source, top) + [top / ".clang-tidy"]
        # The words tell about changed flags; clang-tidy finds them itself.
        yield source.relative_to(build if whole else top).as_posix(), files, command, " ".join(words)


def run(task, clean):
    name, files, command, text = task
    key = fingerprint([*(file.read_bytes() for file in files), *command, text])
    mark = clean / key
    if mark.exists():
        mark.touch()
        return name, True, "", False
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        mark.touch()
    return name, done.returncode == 0, done.stdout + done.stderr, True


def main():
    tasks = {"headers": header_tasks, "tidy": tidy_tasks}
    if len(sys.argv) not in (4, 5) or sys.argv[1] not in tasks:
        print(__doc__, file=sys.stderr)
        return 2
    kind, top, build = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    if kind == "tidy" and shutil.which(TIDY) is None:
        print(f"SKIPPED: {TIDY} is not installed", file=sys.stderr)
        return SKIP
    database = pathlib.Path(sys.argv[-1])
    clean = build / "lint" / kind
    clean.mkdir(parents=True, exist_ok=True)
    failed = looked = total = 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        results = pool.map(lambda task: run(task, clean), tasks[kind](top, database))
        for name, good, output, fresh in results:
            total += 1
            looked += fresh
            if not good:
                failed += 1
                print(f"== {name}\n{output}")
    print(f"{total} files, {looked} looked at, {failed} with findings")
    return 1 if failed or total == 0 else 0


sys.exit(main())
