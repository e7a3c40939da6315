#!/usr/bin/env python3
"""Checks what no compiler does: files of at most 500 lines outside tests, functions of at most 60, and no path or
package mirror of somebody's machine anywhere. usage: tree.py TOP | tree.py --self-test"""
import ast
import os
import pathlib
import re
import sys

import command

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60

SKIPPED_FOLDERS = {".git", "build", "corpus", "vectors", "__pycache__"}
SOURCES = {".h", ".cc", ".c", ".py", ".sh", ".cmake", ".java"}
# A build machine's folders, and hosts that packages come from there. Documentation says
# /home/USER or ~ and names the public hosts that it means.
MACHINE = [
    (re.compile(r"(?<![\w.-])/(work|workspace|builds)/[\w.]"), "a path of a build machine"),
    (re.compile(r"(?<![\w.-])/(home|Users)/[a-z]"), "a path of a home folder"),
    (re.compile(r"(?<![\w.-])/tmp/(w/|bash_jobs)"), "a path of a scratch folder"),
    (re.compile(r"https?://[^/\s]*(artifactory|jfrog|nexus|registry|mirror|proxy|snapshot)[^/\s]*",
                re.I), "a registry or mirror host"),
]
NO_FUNCTION = re.compile(
    r"^\s*(\}|if\b|else\b|for\b|while\b|switch\b|do\b|try\b|catch\b|case\b|namespace\b|class\b|struct\b"
    r"|union\b|enum\b|extern\b|//)")


def continues(line, previous):
    """Is this a later line of a signature or of a constructor's initialisers?"""
    return (line.count(")") > line.count("(") or line.lstrip().startswith(":")
            or previous.rstrip().endswith((",", "(")))


def cpp_functions(lines):
    """(first line, lines) of each function, by clang-format's indentation."""
    for start, line in enumerate(lines):
        if not line.rstrip().endswith("{") or NO_FUNCTION.match(line):
            continue
        first = start
        while first > 0 and continues(lines[first], lines[first - 1]):
            first -= 1
        text = " ".join(lines[first:start + 1])
        if "(" not in text or text.count("(") != text.count(")"):
            continue  # no function, or an argument list that goes on
        indent = re.match(r"\s*", lines[first]).group()
        for end in range(start + 1, len(lines)):
            if lines[end].startswith(indent + "}"):
                yield first + 1, end - first + 1
                break


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def check_text(name, suffix, text):
    lines = text.splitlines()
    findings = []
    for number, line in enumerate(lines, 1):
        for pattern, what in MACHINE:
            if pattern.search(line):
                findings.append(f"{name}:{number}: {what}: {line.strip()[:80]}")
    if suffix not in SOURCES:
        return findings
    if len(lines) > MAX_FILE_LINES and not name.startswith("tests/"):
        findings.append(f"{name}:1: {len(lines)} lines, at most {MAX_FILE_LINES}")
    functions = []
    if suffix in (".h", ".cc", ".c", ".java"):
        functions = cpp_functions(lines)
    elif suffix == ".py":
        functions = python_functions(text)
    for first, count in functions:
        if count > MAX_FUNCTION_LINES:
            findings.append(f"{name}:{first}: a function of {count} lines, "
                            f"at most {MAX_FUNCTION_LINES}")
    return findings


def check_tree(top):
    findings = []
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
        for file in sorted(files):
            path = pathlib.Path(folder, file)
            name = path.relative_to(top).as_posix()
            if name == "tests/lint/tree.py":
                continue  # holds the patterns
            try:
                text = path.read_text()
            except (UnicodeDecodeError, OSError):
                continue  # a binary, or a dangling link
            findings += check_text(name, path.suffix, text)
    return findings


def self_test():
    long_body = "  f();\n" * 60
    cases = [
        ("a.cc", "void f() {\n" + long_body + "}\n", 1),
        ("a.cc", "void f() {\n" + "  g();\n" * 58 + "}\n", 0),
        ("a.cc", "void f(int a,\n       int b) {\n" + "  g();\n" * 58 + "}\n", 1),
        ("a.h", "class A {\n  void f() {\n" + "    g();\n" * 60 + "  }\n};\n", 1),
        ("a.h", "class A {\n  A(int a)\n      : a_(a),\n        b_(f([] { g(); })) {\n    h();\n  }\n"
         + "  int c;\n" * 60 + "};\n", 0),
        ("a.cc", "  run(b(), {\n" + "    c,\n" * 80 + "  });\n", 0),
        ("a.h", "class A {\n" + "  int a;\n" * 80 + "};\n", 0),
        ("a.cc", "namespace a {\n" + "int b();\n" * 80 + "}\n", 0),
        ("a.cc", "int a;\n" * 501, 1),
        ("tests/unit/a.cc", "int a;\n" * 501, 0),
        ("a.md", "text\n" * 501, 0),
        ("a.py", "def f():\n" + "    g()\n" * 60, 1),
        ("a.md", "see /" + "work/main/x", 1),
        ("a.md", "network/wo" + "rk/x", 0),
        ("a.md", "cd /" + "home/alice", 1),
        ("a.md", "ProtectHome=true, /home/USER", 0),
        ("a.cc", "// https://artifactory.example.com/x", 1),
        ("a.md", "https://tomcat.apache.org/", 0),
    ]
    wrong = 0
    for name, text, expected in cases:
        if len(check_text(name, pathlib.Path(name).suffix, text)) != expected:
            print(f"self-test: {name}: {text[:40]!r} should have {expected} findings")
            wrong += 1
    print(f"{len(cases)} cases, {wrong} wrong")
    return wrong


sys.exit(command.run(__doc__, check_tree, self_test))
