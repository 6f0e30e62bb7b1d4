"""report - the checks of a run and its counts, for a reader and for the runner."""

import json
import time
from pathlib import Path


class Report:
    def __init__(self, logs: Path):
        self.logs = logs
        self.checks: list[tuple[str, bool, str]] = []
        self.counts: dict[str, object] = {}
        self.began = time.monotonic()

    def say(self, text: str = "") -> None:
        print(text, flush=True)

    def tell_time(self, what: str) -> None:
        self.say(f"after {time.monotonic() - self.began:.0f} s: {what}")

    def check(self, what: str, holds: bool, why: str = "") -> bool:
        self.checks.append((what, bool(holds), why))
        mark = "ok    " if holds else "FAILED"
        self.say(f"{mark} {what}" + (f": {why}" if why and not holds else ""))
        return bool(holds)

    @property
    def failed(self) -> int:
        return sum(1 for _, holds, _ in self.checks if not holds)

    def write(self, **more: object) -> None:
        body = {"checks": [{"what": what, "holds": holds, "why": why}
                           for what, holds, why in self.checks],
                "counts": self.counts, "seconds": round(time.monotonic() - self.began, 1)}
        (self.logs / "report.json").write_text(json.dumps(body | more, indent=2) + "\n")


def last_line(passed: int, failed: int) -> None:
    """The line that the runner counts."""
    print(f"{passed} passed, {failed} failed", flush=True)
