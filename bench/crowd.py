"""crowd - `load` with many sockets that stay open while something happens.

The program prints JSON objects, one a line, and reads its next order from a line. It
closes its sockets when its stdin ends.
"""

import json
import os
import select
import subprocess
import time

from client import Client
from stack import StackError

END_LIMIT_S = 30
OPEN_LIMIT_S = 150


class Orders:
    """A program that says JSON when it is ready, and then takes orders, a line each."""

    def __init__(self, name: str, words: list[str], limit_s: float,
                 environment: dict[str, str] | None = None):
        self.name, self.words, self.limit_s = name, words, limit_s
        self.environment = environment
        self.rest = b""

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=self.environment)
        try:
            self.opened = self.answer(self.limit_s)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(timeout=END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        if not kind and self.process.returncode:
            raise StackError(f"{self.name} ended with {self.process.returncode}")

    def order(self, line: str) -> None:
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def line(self, limit_s: float) -> str:
        """The next line; empty when none arrives in time."""
        until = time.monotonic() + limit_s
        while b"\n" not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return ""
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                raise StackError(f"{self.name} ended early")
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def answer(self, limit_s: float) -> dict:
        """The next JSON object; skips numbers before it."""
        until = time.monotonic() + limit_s
        while not (line := self.line(max(0, until - time.monotonic()))).startswith("{"):
            if not line:
                raise StackError(f"{self.name} says nothing")
        return json.loads(line)


class Crowd(Orders):
    """As a context: inside all sockets are welcomed, after it all are closed."""

    def __init__(self, words: list[str]):
        super().__init__(f"load {words[1]}", words, OPEN_LIMIT_S)


class Floor(Crowd):
    """`load floor`: the least that a gateway could do, the limit of the real one."""

    def __init__(self, client: Client):
        super().__init__(client.words("floor", "http://127.0.0.1"))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.opened['port']}"
