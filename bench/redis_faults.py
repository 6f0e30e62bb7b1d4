"""redis_faults - a Redis that misbehaves, as a phase of bench/hostile.

The interface is that of an attacker: it begins when it is made, and end() says what it did.
"""

import os
import signal
import socket

from stack import Stack


def command(stack: Stack, *words: str) -> None:
    """A command with the password of the stack; an error ends the measurement."""
    with open(stack.run_file("secrets/redis"), encoding="ascii") as file:
        password = file.read().strip()
    with socket.create_connection(("127.0.0.1", int(stack.settings["REDIS_PORT"])), 10) as redis:
        for line in (("AUTH", password), words):
            redis.sendall(f"*{len(line)}\r\n".encode() + b"".join(
                f"${len(word)}\r\n{word}\r\n".encode() for word in line))
            answer = redis.recv(4096)
            if not answer.startswith(b"+OK"):
                raise RuntimeError(f"Redis: {words[0]}: {answer!r}")


class Fault:
    def __init__(self, stack: Stack):
        self.stack = stack
        self.before = stack.metrics("WEBSOCKET_ADMIN_PORT")["parley_hints_dropped"]
        self.begin()

    def begin(self) -> None:
        raise NotImplementedError

    def mend(self) -> None:
        raise NotImplementedError

    @staticmethod
    def cpu_share() -> float:
        return 0.0

    def end(self) -> dict:
        dropped = self.stack.metrics("WEBSOCKET_ADMIN_PORT")["parley_hints_dropped"]
        self.mend()
        return {"hints dropped": int(dropped - self.before)}


class Hangs(Fault):
    def begin(self) -> None:
        self.pid = self.stack.pid("redis")
        os.kill(self.pid, signal.SIGSTOP)

    def mend(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


class Refuses(Fault):
    def begin(self) -> None:
        command(self.stack, "CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1")

    def mend(self) -> None:
        command(self.stack, "CONFIG", "SET", "maxmemory-policy", "volatile-ttl", "maxmemory",
                "256mb")


FAULTS = {"redis-hangs": Hangs, "redis-refuses": Refuses}
