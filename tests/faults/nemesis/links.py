"""links - the proxy as a child process, and the faults on each of its links.

Several faults may lie on one link at a time. Each is put on and taken off under a name
of its own; the link has all of them together.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable

from support.stack import die_with_parent

# The sum of two faults of one kind.
TOGETHER: dict[str, Callable] = {
    "cut": max, "blackhole": max, "delay_ms": lambda a, b: a + b,
    "jitter_ms": lambda a, b: a + b, "kib_s": min, "slice_bytes": min, "close_after": min,
    "refuse": max, "deaf": max, "says": max, "answers": max,
}


def together(faults: list[dict]) -> dict:
    sum_of: dict = {}
    for fault in faults:
        for name, value in fault.items():
            sum_of[name] = TOGETHER[name](sum_of[name], value) if name in sum_of else value
    return sum_of


class Links:
    def __init__(self):
        self.child: subprocess.Popen | None = None
        self.lock = threading.RLock()
        self.faults: dict[str, dict[str, dict]] = {}  # link -> fault's name -> toxics

    def open(self, ports: dict[str, tuple]) -> "Links":
        """`ports`: name of each link -> its own port, the port of its target, and the address
        to listen on if that is not 127.0.0.1."""
        self.child = subprocess.Popen(
            [sys.executable, "-m", "nemesis.proxy"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        self.faults = {name: {} for name in ports}
        self.ask({"open": ports})
        return self

    def ask(self, order: dict) -> None:
        with self.lock:
            self.child.stdin.write(json.dumps(order) + "\n")
            self.child.stdin.flush()
            line = self.child.stdout.readline()
        answer = json.loads(line) if line else {"done": False, "why": "the proxy is gone"}
        if not answer["done"]:
            raise RuntimeError(f"{order}: {answer['why']}")

    def put(self, link: str, fault: str, **toxics) -> None:
        with self.lock:
            self.faults[link][fault] = toxics
            self.tell(link)

    def take(self, link: str, fault: str) -> None:
        with self.lock:
            self.faults[link].pop(fault, None)
            self.tell(link)

    def tell(self, link: str) -> None:
        self.ask({"link": link, "toxics": together(list(self.faults[link].values()))})

    @property
    def alive(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def close(self) -> None:
        if not self.child:
            return
        self.child.stdin.close()
        try:
            self.child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()
