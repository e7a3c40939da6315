#!/usr/bin/env python3
"""Checks that every relative link of every Markdown file leads to a file of this tree, and every anchor to a heading or
an id of that file. Links to other hosts are not looked at. usage: links.py TOP | links.py --self-test"""
import os
import pathlib
import re
import sys
import tempfile
import urllib.parse

import command

SKIPPED_FOLDERS = {".git", "build", "corpus", "__pycache__"}
FENCE = re.compile(r"\s*(```|~~~)")
# Code may go on in the next line, not in the next paragraph.
CODE = re.compile(r"(`+)(?!`)(?:[^\n]|\n(?!\s*\n))*?(?<!`)\1(?!`)")
# What stands behind the ] of [text](target) and ![text](target "title"), and `[label]: target` at the start of a line.
LINK = re.compile(r"\]\(\s*<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
DEFINITION = re.compile(r"^ {0,3}\[[^]\n]+\]:\s*<?([^\s>]+)>?\s*$", re.M)
HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*\s*$")
ID = re.compile(r"<\w+\s[^>]*\b(?:id|name)=\"([^\"]+)\"")
ELSEWHERE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//")


def prose(text):
    """The text with each line of fenced or indented code made empty."""
    lines, fence, blank = [], "", True
    for line in text.splitlines():
        found = FENCE.match(line)
        code = bool(found or fence or (blank and line.startswith("    ")))
        if found:
            fence = "" if fence == found[1] else fence or found[1]
        lines.append("" if code else line)
        blank = code or not line.strip()
    return "\n".join(lines)


def without_code(text):
    return CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def slug(heading):
    """The anchor that GitHub and GitLab make of a heading: words and hyphens, in lower case."""
    text = re.sub(r"!?\[([^][]*)\]\([^()]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(text):
    plain, seen = prose(text), {}
    found = set(ID.findall(plain))
    for line in plain.splitlines():
        heading = HEADING.match(line)
        if heading:
            name = slug(heading[1])
            count = seen[name] = seen.get(name, -1) + 1
            found.add(f"{name}-{count}" if count else name)
    return found


def targets(text):
    """(line, target) of each link."""
    plain = without_code(prose(text))
    matches = [found for pattern in (LINK, DEFINITION) for found in pattern.finditer(plain)]
    return sorted({(plain.count("\n", 0, found.start(1)) + 1, found[1]) for found in matches})


def check_link(top, file, target):
    """What is wrong with the link, or None."""
    if ELSEWHERE.match(target):
        return None
    path, _, anchor = target.partition("#")
    if path.startswith("/"):
        return "an absolute path"
    goal = (file.parent / urllib.parse.unquote(path)).resolve() if path else file.resolve()
    if not goal.is_relative_to(top):
        return "leads out of the tree"
    if not goal.exists():
        return "no such file"
    if anchor and goal.suffix == ".md" and urllib.parse.unquote(anchor) not in anchors(goal.read_text()):
        return f"no heading of that name in {goal.relative_to(top).as_posix()}"
    return None


def check_tree(top):
    top = pathlib.Path(top).resolve()
    findings, links = [], 0
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
        for file in sorted(pathlib.Path(folder, name) for name in files if name.endswith(".md")):
            for number, target in targets(file.read_text()):
                links += 1
                what = check_link(top, file, target)
                if what:
                    findings.append(f"{file.relative_to(top).as_posix()}:{number}: {target}: {what}")
    return findings, links


# (text of docs/a.md, links in it, findings); beside it lie docs/b c.md and README.md.
CASES = [
    ("[x](../README.md)", 1, 0),
    ("[x](missing.md)", 1, 1),
    ("[x](missing.md) and [y](gone.md)", 2, 2),
    ("[x](b%20c.md#second-part)", 1, 0),
    ("[x](b%20c.md#third-part)", 1, 1),
    ("[x](b%20c.md#second-part-1)", 1, 0),
    ("[x](b%20c.md#second-part-2)", 1, 1),
    ("[x](b%20c.md#TC001)", 1, 0),
    ("[x](b%20c.md#配置)", 1, 0),
    ("[x](b%20c.md#a-key-with-a-link)", 1, 0),
    ("[x](b%20c.md#in-code)", 1, 1),
    ("# Own part\n\n[x](#own-part)", 1, 0),
    ("# Own part\n\n[x](#other-part)", 1, 1),
    ("![x](picture.png)", 1, 1),
    ("[![x](picture.png)](../README.md)", 2, 1),
    ("[x](../README.md \"title\")", 1, 0),
    ("[x]: missing.md", 1, 1),
    ("[x](https://example.com/missing.md#a)", 1, 0),
    ("[x](mailto:a@example.com)", 1, 0),
    ("[x](/etc/hosts)", 1, 1),
    ("[x](../../outside.md)", 1, 1),
    ("`[x](missing.md)`", 0, 0),
    ("```\n[x](missing.md)\n```\n[y](gone.md)", 1, 1),
    ("text\n\n    [x](missing.md)\n", 0, 0),
    ("[peer \"x\"] (no link)", 0, 0),
    ("[two\nlines](missing.md)", 1, 1),
    ("a `code [x](missing.md)\ngoes on` here", 0, 0),
    ("a ` alone\n\n[x](missing.md) ` here", 1, 1),
    ("- an item\n    [x](missing.md)\n", 1, 1),
    ("", 0, 0),
]
NEIGHBOUR = """# First
## Second part
## Second part
## `A key` with [a link](../README.md)
### 配置
<a id="TC001"></a>
```
# In code
```
"""


def self_test():
    wrong = 0
    for text, links, expected in CASES:
        with tempfile.TemporaryDirectory() as top:
            docs = pathlib.Path(top, "docs")
            docs.mkdir()
            (docs / "a.md").write_text(text)
            (docs / "b c.md").write_text(NEIGHBOUR)
            pathlib.Path(top, "README.md").write_text("# Top\n")
            findings, seen = check_tree(top)
            if (seen - 1, len(findings)) != (links, expected):
                print(f"self-test: {text!r}: {seen - 1} links, {findings}; should be {links}, {expected}")
                wrong += 1
    print(f"{len(CASES)} cases, {wrong} wrong")
    return wrong


def check_some(top):
    findings, links = check_tree(top)
    return findings if links else ["no link is found in the tree"]


sys.exit(command.run(__doc__, check_some, self_test))
