"""docs/back-pressure.md: the constants are in the files that it names, and each row
names a test that exists."""
import re

PAGE = "docs/back-pressure.md"
CONSTANT = re.compile(r"`([A-Z][A-Z_0-9]+)`[^`|]*? in `([\w./-]+\.[chdef]+)`")
TEST = re.compile(r"\| `(\w+)` \|$")
C_TEST = re.compile(r"^static void\s+(\w+)\(void \*\*state\)", re.MULTILINE)
PY_TEST = re.compile(r"^def (test_\w+)\(", re.MULTILINE)
COLUMNS = 4


def faults(root):
    tests = set(names(root))
    for line in (root / PAGE).read_text("utf-8").splitlines():
        if not line.startswith("|") or line.startswith(("| what", "|---")):
            continue
        row = line.split("|")[1].strip()
        if line.count(" |") != COLUMNS:
            yield f"{PAGE}: '{row}' has not {COLUMNS} columns"
        for name, file in CONSTANT.findall(line):
            text = (root / file).read_text("utf-8") if (root / file).exists() else ""
            if not re.search(rf"\b{name}\b", text):
                yield f"{PAGE}: '{row}': {file} has no {name}"
        test = TEST.search(line)
        if not test:
            yield f"{PAGE}: '{row}' names no test"
        elif test and test[1] not in tests:
            yield f"{PAGE}: '{row}': there is no test {test[1]}"


def names(root):
    for path in root.rglob("test_*.c"):
        if "build" not in path.parts:
            yield from C_TEST.findall(path.read_text("utf-8"))
    for path in (root / "tests").rglob("test_*.py"):
        yield from PY_TEST.findall(path.read_text("utf-8"))
