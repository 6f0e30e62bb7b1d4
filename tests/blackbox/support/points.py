"""points - the fault points of the services; arms them for a test.

common/service/fault_point.h explains them. The programs must be built with VARIANT=faults.
"""

import re

from support.stack import ROOT, Stack
from support.wait import until

POINT = re.compile(r'FAULT_POINT\("([a-z_.]+)"\)')
FOLDERS = ("websocket-service", "persistence-service")
KILLED_TIMEOUT_S = 180  # a bound on hanging


def all_points() -> list[tuple[str, str]]:
    """Program and name of each point in the sources."""
    return [(folder, name) for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.c"))
            for name in POINT.findall(path.read_text("utf-8"))]


class Point:
    def __init__(self, stack: Stack, program: str, name: str):
        self.name, self.program, self.stack = name, program, stack
        binary = stack.binary(program)
        self.file = binary.with_name(binary.name + ".fault")

    def arm(self) -> None:
        """Arms the point: the next process of the program that reaches it dies there."""
        self.died = self.stack.pid(self.program)
        new = self.file.with_suffix(".new")
        new.write_text(self.name)
        new.rename(self.file)

    def passed(self) -> bool:
        return not self.file.exists()

    def wait_killed(self, timeout_s: float = KILLED_TIMEOUT_S) -> None:
        until(f"{self.program} passes {self.name}", self.passed, timeout_s)
        until(f"{self.program} has restarted",
              lambda: self.stack.pid(self.program) != self.died, timeout_s)

    def disarm(self) -> None:
        self.file.unlink(missing_ok=True)
