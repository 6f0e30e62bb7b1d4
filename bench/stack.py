"""stack - a stack of deploy/stack that belongs to one measurement."""

import os
import subprocess
import urllib.request

import usage

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
# Beside those of a `make run`. (10080, which 2000 would make of 8080, no browser opens.)
PORT_SHIFT = "3000"
# Always the stack's own servers: others cannot be measured from here.
FOREIGN = ("KAFKA_BROKERS", "MYSQL_HOST", "REDIS_HOST", "MYSQL_PASSWORD", "MYSQL_PASSWORD_FILE",
           "REDIS_PASSWORD_FILE")
PROGRAMS = ("websocket-service", "persistence-service", "identity-service", "mariadb", "redis",
            "kafka", "nginx")


class StackError(Exception):
    """The stack did not start."""


class Stack:
    def __init__(self, folder: str):
        self.environment = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        # Never the folder of a `make run`: this stack's data is wiped before and after.
        self.environment["PARLEY_RUN_DIR"] = os.path.join(folder, "run")
        if not any(name.endswith("_PORT") for name in self.environment):
            self.environment.setdefault("PARLEY_PORT_SHIFT", PORT_SHIFT)
        # One user sends and asks for many, and more than 100,000 users may join.
        # A run of many hours keeps its tokens.
        self.environment.setdefault("IDENTITY_TOKEN_TTL", "604800")
        self.environment |= {"WEBSOCKET_USER_RATE": "0", "PERSISTENCE_USER_RATE": "0",
                             "WEBSOCKET_USER_SOCKETS_MAX": "0", "MEMBERS_MAX": "1000000"}
        self.started = False
        self.settings: dict[str, str] = {}

    def call(self, *words: str, check: bool = True) -> str:
        done = subprocess.run([os.path.join(ROOT, "deploy/stack"), *words],
                              env=self.environment, cwd=ROOT, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if check and done.returncode:
            raise StackError(f"deploy/stack {' '.join(words)}: {done.stdout.strip()}")
        return done.stdout

    def up(self) -> None:
        self.call("down", check=False)  # the rest of a killed measurement
        self.call("reset")
        print("bench: starting the stack", flush=True)
        self.started = True
        self.call("up")
        self.settings = dict(line.split("=", 1) for line in self.call("env").splitlines())

    def down(self) -> None:
        if self.started:
            self.call("down", check=False)
            if "BENCH_KEEP" not in self.environment:
                self.call("reset", check=False)

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.settings[port]}"

    def pid(self, program: str) -> int:
        return int(self.call("pid", program))

    def pids(self) -> dict[str, list[int]]:
        """Each program's processes, nginx's workers with their master."""
        return {name: usage.family(self.pid(name)) for name in PROGRAMS}

    def restart(self, program: str) -> None:
        self.call("restart", program)

    def run_file(self, name: str) -> str:
        return os.path.join(self.settings["PARLEY_RUN_DIR"], name)

    def metrics(self, port: str) -> dict[str, float]:
        """A service's metrics by name; `port` is the setting of its admin port."""
        with urllib.request.urlopen(f"{self.url(port)}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in
                (line.rpartition(" ") for line in lines if line and line[0] != "#")}

    def build(self) -> str:
        return self.settings["PARLEY_BUILD"]
