"""load - runs the ledger (tests/ledger) beside a stack: many users chat, and at the end the
ledger gives a verdict.

    with Load(stack, rate=200, seconds=10) as load:
        load.wait_sending()
        …break something…
        load.assert_clean()
"""

import json
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.stack import ROOT, Stack, die_with_parent
from support.wait import until

# Bounds on hanging: no test judges by duration.
START_TIMEOUT_S = 180
WAIT_S = 300
# The line that the ledger prints once a second.
SENT = re.compile(r": sent (\d+),")
ACCEPTED = re.compile(r", accepted (\d+),")
SAVED = re.compile(r", saved (\d+),")
SOCKETS = re.compile(r"sockets (\d+) of (\d+)")
# The kinds of faults that a verdict counts.
FAULTS = ("lost", "undelivered", "unheard", "duplicates", "misordered", "gaps", "misrouted",
          "phantom", "corrupt", "split", "refused", "turned", "after_end", "edit_lost",
          "edit_unheard", "revisions", "content", "typing", "presence",
          "blocks", "cut", "receipts")


def violations(verdict: dict) -> str:
    """The faults of a verdict as text; empty when the verdict is clean."""
    bad = [f"{name} {verdict[name]}" for name in FAULTS if verdict.get(name)]
    if not bad and verdict["verdict"] != "clean":
        bad = [verdict.get("undecided_because", verdict["verdict"])]
    return ", ".join(bad)


def one_line(verdict: dict) -> str:
    """The verdict in one line, for the report of a test."""
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
        self.place: dict[str, object] = {"cwd": ROOT}  # where the ledger starts
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

    def count(self, pattern: re.Pattern) -> int:
        """The count in the newest progress line; 0 before the first line."""
        counts = pattern.findall(self.log())
        return int(counts[-1]) if counts else 0

    def wait_more(self, pattern: re.Pattern, more: int, timeout_s: float = WAIT_S) -> None:
        """Waits until a count has grown by `more`."""
        wanted = self.count(pattern) + more
        until(f"{more} more: {pattern.pattern}", lambda: self.count(pattern) >= wanted, timeout_s)

    def wait_standstill(self, pattern: re.Pattern, lines: int,
                        timeout_s: float = WAIT_S) -> None:
        """Waits until a count stays the same for `lines` progress lines while the ledger sends."""
        def still() -> bool:
            text = self.log()
            counts, sent = pattern.findall(text), SENT.findall(text)
            return len(counts) > lines and len(set(counts[-lines - 1:])) == 1 \
                and int(sent[-1]) > int(sent[-lines - 1])

        until(f"standstill: {pattern.pattern}", still, timeout_s)

    def wait_sent(self, more: int, timeout_s: float = WAIT_S) -> None:
        """Waits until the ledger has sent `more` messages."""
        self.wait_more(SENT, more, timeout_s)

    def wait_sockets(self, count: int | None = None, timeout_s: float = WAIT_S) -> None:
        """Waits until `count` sockets are welcomed; without a count, all."""
        def welcomed() -> bool:
            counts = SOCKETS.findall(self.log())
            return bool(counts) and int(counts[-1][0]) == (
                int(counts[-1][1]) if count is None else count)

        until(f"{'all' if count is None else count} sockets are welcomed", welcomed, timeout_s)

    @contextmanager
    def cuts(self) -> Iterator[None]:
        """Sockets may end without a close code while the body runs: a gateway or nginx dies.
        With cuts=0 such an end is a fault at any other time. At the end the stack is ready."""
        self.tell(signal.SIGUSR1, "sockets may be cut")
        yield
        self.tell(signal.SIGUSR2, "sockets must not be cut")

    def tell(self, number: signal.Signals, answer: str) -> None:
        answers = self.log().count(answer)
        self.child.send_signal(number)
        until(answer, lambda: self.log().count(answer) > answers, WAIT_S)

    def stop_sending(self) -> None:
        if self.sending_goes_on:
            self.child.terminate()
        self.sending_goes_on = False

    def verdict(self, timeout_s: float) -> dict:
        """Waits for the end of the ledger and returns its verdict."""
        said, _ = self.child.communicate(timeout=timeout_s)
        assert said.strip(), f"no verdict, exit {self.child.returncode}:\n{self.log()}"
        return json.loads(said)

    def assert_clean(self, timeout_s: float = 1500) -> dict:
        verdict = self.verdict(timeout_s)
        assert verdict["verdict"] == "clean", f"{one_line(verdict)}\n{self.log()}"
        return verdict
