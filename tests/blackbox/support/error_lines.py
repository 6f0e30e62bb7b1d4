"""error_lines - the lines of level error that the services of a stack log.

An error asks an operator to act (docs/operations.md), so an ordinary recovery logs none.
"""

import json

from support.stack import SERVICES, Stack


class ErrorLines:
    """Those after the newest line that each service had logged when the object was made."""

    def __init__(self, stack: Stack):
        self.stack = stack
        self.before = {service: max((line["time"] for line in self.lines(service)), default="")
                       for service in SERVICES}

    def lines(self, service: str) -> list[dict]:
        return [json.loads(line) for line in self.stack.log_text(service).splitlines()
                if line.startswith("{")]

    def found(self) -> list[dict]:
        return [line for service in SERVICES for line in self.lines(service)
                if line["level"] == "error" and line["time"] > self.before[service]]

    def assert_none(self) -> None:
        found = self.found()
        assert not found, f"{len(found)} error lines:\n" + "\n".join(map(str, found[:10]))
