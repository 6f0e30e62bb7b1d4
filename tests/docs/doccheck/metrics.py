"""docs/metrics.md has every metric of the code."""
import re

from . import generated

PAGE = "docs/metrics.md"
TOOL = "metrics-table"
FOLDERS = ("identity-service", "websocket-service", "persistence-service", "common")
LITERAL = r'"(?:[^"\\]|\\.)*"'
# The parts of a metric's name: literals, and parameters of a surrounding macro.
TEXT = rf"(?:(?:{LITERAL}|[a-z_]+_)\s*)+"
METRIC = re.compile(rf"METRIC_(COUNTER|GAUGE|HISTOGRAM)\(\s*({TEXT}),\s*({TEXT})\)")
PIECE = re.compile(rf"({LITERAL})|[a-z_]+_")
DEFINE = re.compile(rf"^#define\s+([A-Z_]+)\s+({LITERAL})\s*$", re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def faults(root):
    yield from generated.stale(root, PAGE, TOOL, tables(root))


def tables(root):
    parts = []
    for folder in FOLDERS:
        rows = [row for path in sources(root, folder) for row in metrics(path)]
        if rows:
            head = f"## {folder}\n\n| metric | kind | meaning |\n|---|---|---|\n"
            parts.append(head + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def sources(root, folder):
    found = sorted((root / folder).rglob("*.c"))
    return [path for path in found if "tests" not in path.relative_to(root).parts]


def metrics(path):
    text = COMMENT.sub("", path.read_text("utf-8")).replace("\\\n", "\n")
    for name, literal in DEFINE.findall(text):
        text = re.sub(rf"(?<!#define )\b{name}\b", lambda _: literal, text)
    for kind, name, meaning in METRIC.findall(text):
        yield f"| `{join(name)}` | {kind.lower()} | {join(meaning)} |"


def join(pieces):
    """The joined text of the pieces; "…" stands for a parameter."""
    found = (piece[1] for piece in PIECE.finditer(pieces))
    text = "".join("…" if piece is None else piece[1:-1] for piece in found)
    return text.replace('\\"', '"')
