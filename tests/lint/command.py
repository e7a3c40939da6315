"""What the lints that look at a whole tree share: their command line."""
import sys


def run(usage, check_tree, self_test):
    """`--self-test`, or the tree's directory. Returns the exit code: 0 without findings, 1, 2 for a wrong usage."""
    if sys.argv[1:] == ["--self-test"]:
        return 1 if self_test() else 0
    if len(sys.argv) != 2:
        print(usage, file=sys.stderr)
        return 2
    findings = check_tree(sys.argv[1])
    print("\n".join(findings))
    return 1 if findings else 0
