"""The table of stages in CONTRIBUTING.md agrees with tests/check/stages.py."""
import importlib.util
import sys

from . import generated

PAGE = "CONTRIBUTING.md"
TOOL = "stages-table"
TABLE = "tests/check/stages.py"
TIMES = "build/test-logs/times.txt"
HEAD = "| stage | what it finds | where it runs | budget s | last took s |\n|---|---|---|---|---|"


def faults(root):
    yield from generated.stale(root, PAGE, TOOL, tables(root))


def load(root):
    """The module of this tree, not one loaded from another tree."""
    spec = importlib.util.spec_from_file_location("stages_of_tree", root / TABLE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def tables(root):
    module = load(root)
    last = module.last_times()
    lines = [
        f"| `{stage.name}` | {stage.finds} | `make {stage.command}` | {stage.budget_s} "
        f"| {last.get(stage.name, '')} |"
        for stage in module.STAGES
    ]
    return "\n".join([HEAD, *lines]) + "\n"


def record(root):
    """Writes the times of the last run into the table."""
    module = load(root)
    said = (root / TIMES).read_text("utf-8").splitlines()
    times = module.last_times() | dict(line.split() for line in said)
    lines = [f"{s.name} {times[s.name]}\n" for s in module.STAGES if s.name in times]
    head = "# Stage and seconds of its last recorded run; tests/docs/stages-table --record.\n"
    module.LAST_TIMES.write_text(head + "".join(lines), "utf-8")
