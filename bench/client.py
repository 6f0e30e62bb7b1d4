"""client - one run of `client-test bench`, and what the servers spent on it."""

import json
import os
import resource
import subprocess
import time

import usage
from stack import Stack, StackError

SETTLE_S = 1.0


class Client:
    def __init__(self, stack: Stack, folder: str):
        self.stack = stack
        self.tokens = os.path.join(folder, "tokens")
        self.program = os.path.join(stack.build(), "client-test/client-test")

    def words(self, mode: str, url: str, *more: str) -> list[str]:
        return [self.program, "bench", mode, "--url", url, "--tokens", self.tokens, *more]

    def run(self, mode: str, url: str, *more: str) -> dict:
        """Its result, with the CPU seconds of every program under `cpu_s`."""
        pids = self.stack.pids()
        before = {name: usage.cpu_s(family) for name, family in pids.items()}
        own = resource.getrusage(resource.RUSAGE_CHILDREN)
        machine = usage.machine_cpu_s()
        start = time.monotonic()
        done = subprocess.run(self.words(mode, url, *more), stdout=subprocess.PIPE, text=True,
                              check=False)
        machine = usage.machine_cpu_s() - machine
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if not done.stdout.strip():
            raise StackError(f"client-test bench {mode} ended with {done.returncode}")
        result = json.loads(done.stdout)
        spent = {name: usage.cpu_s(family) - before[name] for name, family in pids.items()}
        spent["client-test"] = (after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime)
        spent["others"] = max(0.0, machine - sum(spent.values()))
        took = time.monotonic() - start
        result["others_share"] = round(spent["others"] / (took * os.cpu_count()), 3)
        result["cpu_s"] = {name: round(value, 3) for name, value in spent.items()}
        return result

    def idle(self, url: str, sockets: int) -> dict:
        gateway = self.stack.pid("websocket-service")
        before = usage.resident(gateway)
        with subprocess.Popen(self.words("idle", url, "--sockets", str(sockets)),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            line = holder.stdout.readline()
            if not line:
                raise StackError("client-test bench idle ended at once")
            result = json.loads(line)
            time.sleep(SETTLE_S)
            after = usage.resident(gateway)
            holder.stdin.close()
            holder.stdout.read()
        if holder.returncode:
            raise StackError(f"client-test bench idle ended with {holder.returncode}")
        result["resident_before"] = before
        result["resident_after"] = after
        result["bytes_per_socket"] = round((after - before) / sockets, 1)
        return result
