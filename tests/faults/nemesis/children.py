"""children - service processes of the test, started again whenever they die.

It restarts a child as supervisord does: at once, or after a second when the child lived for
less than a second. It records deaths that the test did not order: a service must not end by
itself, except after its wall clock was set back, which it logs.
"""

import signal
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from support.service import Service
from support.stack import Stack

LOOK_S = 0.05
LIVED_S = 1.0
EXIT_ENVIRONMENT = 111
END_S = 120  # a bound on hanging
# The exit code after each signal: the signal's own, or a clean exit.
ORDERED = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 0}


class Child(Service):
    def __init__(self, stack: Stack, name: str, program: str, log: Path, **changes: str):
        super().__init__(stack, program, **changes)
        self.name = name
        self.said.unlink()
        self.said = log
        self.started_at = 0.0
        self.ordered: set[int] = set()  # exit codes that the test has ordered

    def begin(self) -> None:
        self.started_at = time.monotonic()
        self.start()

    def send(self, number: signal.Signals) -> int | None:
        """The pid; None when the process is not running."""
        child = self.child
        if child is None or child.poll() is not None:
            return None
        if number in ORDERED:
            self.ordered.add(ORDERED[number])
        child.send_signal(number)
        return child.pid

    def clock_was_set_back(self, code: int) -> bool:
        said = self.log().splitlines()
        return code == EXIT_ENVIRONMENT and bool(said) and '"clock.set_back"' in said[-1]

    def resume(self, pid: int) -> None:
        if self.child and self.child.pid == pid and self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)


class Keeper:
    """Watches children in a thread, so that they restart whatever else happens.

    The kernel ends a child when the thread that started it ends. This thread starts all of
    them, and lives until the end.
    """

    def __init__(self, children: Iterable[Child]):
        self.children = list(children)
        self.deaths: list[str] = []  # deaths that the test did not order
        self.starts = 0
        self.stopping = threading.Event()
        self.running = threading.Event()
        self.thread = threading.Thread(target=self.run, name="keeper", daemon=True)

    def start(self) -> "Keeper":
        self.thread.start()
        self.running.wait()
        return self

    def run(self) -> None:
        for child in self.children:
            child.begin()
        self.running.set()
        while not self.stopping.wait(LOOK_S):
            for child in self.children:
                self.look(child)
        for child in self.children:
            self.end(child)

    def look(self, child: Child) -> None:
        code = child.child.poll()
        if code is None or self.stopping.is_set():
            return
        if child.clock_was_set_back(code):
            pass
        elif child.ordered and code not in child.ordered:
            self.deaths.append(f"{child.name} ended with {code}, not {child.ordered}")
        elif not child.ordered and time.monotonic() - child.started_at >= LOOK_S:
            self.deaths.append(f"{child.name} ended with {code}")
        if time.monotonic() - child.started_at < LIVED_S:
            self.stopping.wait(LIVED_S)
        child.ordered.clear()
        self.starts += 1
        child.begin()

    def end(self, child: Child) -> None:
        child.send(signal.SIGCONT)
        try:
            child.send(signal.SIGTERM)
            code = child.child.wait(timeout=END_S)
            if code:
                self.deaths.append(f"{child.name} ended with {code} at the end")
        except Exception as error:
            self.deaths.append(f"{child.name} did not stop: {error!r}")

    def stop(self) -> None:
        self.stopping.set()
        self.thread.join(timeout=END_S * len(self.children))
