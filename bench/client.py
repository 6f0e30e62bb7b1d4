"""client - one run of `load` (bench/load), and the CPU time of the servers meanwhile."""

import json
import os
import resource
import subprocess
import time

import usage
from stack import Stack, StackError


class Client:
    def __init__(self, stack: Stack, tokens: str):
        self.stack = stack
        self.tokens = tokens
        self.program = os.path.join(stack.build(), "bench/load/load")

    def words(self, mode: str, url: str, *more: str) -> list[str]:
        return [self.program, mode, "--url", url, "--tokens", self.tokens, *more]

    def run(self, mode: str, url: str, *more: str) -> dict:
        """Its result, with the CPU seconds of every program under `cpu_s`."""
        spending = Spending(self.stack)
        own = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(self.words(mode, url, *more), stdout=subprocess.PIPE, text=True,
                              check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if not done.stdout.strip():
            raise StackError(f"load {mode} ended with {done.returncode}")
        return json.loads(done.stdout) | spending.so_far(
            after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime)


class Spending:
    """The CPU seconds of every program from now on."""

    def __init__(self, stack: Stack):
        self.pids = stack.pids()
        self.before = {name: usage.cpu_s(family) for name, family in self.pids.items()}
        self.machine = usage.machine_cpu_s()
        self.start = time.monotonic()

    def so_far(self, client_s: float) -> dict:
        spent = {name: usage.cpu_s(family) - self.before[name]
                 for name, family in self.pids.items()}
        spent["load"] = client_s
        machine = usage.machine_cpu_s() - self.machine
        spent["others"] = max(0.0, machine - sum(spent.values()))
        took = time.monotonic() - self.start
        return {"others_share": round(spent["others"] / (took * os.cpu_count()), 3),
                "cpu_s": {name: round(value, 3) for name, value in spent.items()}}
