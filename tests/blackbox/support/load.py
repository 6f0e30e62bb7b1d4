"""load - runs the ledger (tests/ledger) beside a stack: many users chat, and at the end there is a
verdict.

    with Load(stack, rate=200, seconds=10) as load:
        load.wait_sending()
        …break something…
        load.assert_clean()
"""

import json
import re
import subprocess
import tempfile
from pathlib import Path

from support.stack import ROOT, Stack, die_with_parent
from support.wait import until

START_TIMEOUT_S = 120
SENT = re.compile(r": sent (\d+),")
SOCKETS = re.compile(r"sockets (\d+) of ")
# The counts of violations in a verdict.
FAULTS = ("lost", "undelivered", "unheard", "duplicates", "misordered", "gaps", "misrouted",
          "phantom", "corrupt", "split", "refused", "receipts")


def violations(verdict: dict) -> str:
    """The violations in words; empty when there are none."""
    bad = [f"{name} {verdict[name]}" for name in FAULTS if verdict.get(name)]
    if not bad and verdict["verdict"] != "clean":
        bad = [verdict.get("undecided_because", verdict["verdict"])]
    return ", ".join(bad)


def in_short(verdict: dict) -> str:
    """The verdict in one line: the summary of many tests shows one line for each."""
    return f"{violations(verdict)}: {json.dumps(verdict)}"


class Load:
    """The options are those of `ledger --help`, with _ for -."""

    def __init__(self, stack: Stack, program: Path | None = None, **options: object):
        self.program = program or stack.binary("tests/ledger")
        self.words = [str(self.program), "--url", stack.url]
        for name, value in options.items():
            self.words += [f"--{name.replace('_', '-')}", str(value)]
        self.said = Path(tempfile.mkstemp(suffix=".log", prefix="ledger-")[1])
        self.child: subprocess.Popen | None = None
        self.place: dict[str, object] = {"cwd": ROOT}  # where it is started
        self.sending_goes_on = True

    def __enter__(self) -> "Load":
        with open(self.said, "wb") as said:
            self.child = subprocess.Popen(self.words, stdout=subprocess.PIPE, stderr=said,
                                          stdin=subprocess.DEVNULL, text=True,
                                          preexec_fn=die_with_parent, **self.place)
        return self

    def __exit__(self, *_) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        self.said.unlink(missing_ok=True)

    def log(self) -> str:
        return self.said.read_text("utf-8", "replace")

    def sending(self) -> bool:
        assert self.child.poll() is None, f"the ledger ended:\n{self.log()}"
        return ": sent " in self.log()

    def wait_sending(self) -> None:
        until("the ledger sends", self.sending, START_TIMEOUT_S)

    def sent(self) -> int:
        counts = SENT.findall(self.log())
        return int(counts[-1]) if counts else 0

    def wait_sent(self, more: int, timeout_s: float = 120) -> None:
        """Waits until the ledger has sent so many more messages; it reports once a second."""
        wanted = self.sent() + more
        until(f"{more} more are sent", lambda: self.sent() >= wanted, timeout_s)

    def wait_sockets(self, count: int, timeout_s: float = 120) -> None:
        """Waits until so many sockets have their welcome."""
        def there() -> bool:
            counts = SOCKETS.findall(self.log())
            return bool(counts) and int(counts[-1]) == count

        until(f"{count} sockets are welcomed", there, timeout_s)

    def stop_sending(self) -> None:
        if self.sending_goes_on:
            self.child.terminate()
        self.sending_goes_on = False

    def verdict(self, timeout_s: float) -> dict:
        """Waits for the end of the ledger and returns its verdict."""
        said, _ = self.child.communicate(timeout=timeout_s)
        assert said.strip(), f"no verdict, exit {self.child.returncode}:\n{self.log()}"
        return json.loads(said)

    def assert_clean(self, timeout_s: float = 240) -> dict:
        verdict = self.verdict(timeout_s)
        assert verdict["verdict"] == "clean", f"{in_short(verdict)}\n{self.log()}"
        return verdict
